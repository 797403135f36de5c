# What a Debian package has besides the program: the unit, rules for ports, and what happens when it is installed. tools/package says for which
# processor and release.
set(SLUICE_PACKAGE "" CACHE STRING "Build a Debian package of that release: deb12 or deb13")
set(SLUICE_PACKAGE_ARCH "" CACHE STRING "Its architecture by Debian's name")
set(SLUICE_PACKAGE_VERSION "" CACHE STRING "Its number, where it is not the program's")
if(NOT SLUICE_PACKAGE)
    return()
endif()

# Small, as boards with a few MB of flash want it, and hardened as Debian's own packages are. Tables for unwinding would only serve core files, which the
# daemon forbids.
set(CMAKE_C_FLAGS_MINSIZEREL "-Oz -DNDEBUG")
add_compile_options(-flto=full -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables
    -fstack-protector-strong -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
add_compile_definitions(_FORTIFY_SOURCE=2)
# Instructions that repeat are put into functions of their own by the outliner, which only AArch64 has unasked. What divides numbers of 64 bits on armhf
# is taken in, so that no package more is asked for.
add_link_options(-flto=full -static-libgcc -Wl,--as-needed -Wl,--gc-sections -Wl,--icf=safe -Wl,-O2 -Wl,-z,relro -Wl,-z,now -Wl,-z,pack-relative-relocs
    -Wl,-mllvm,-enable-machine-outliner=always)

set(here ${PROJECT_SOURCE_DIR}/firmware/package)
install(FILES ${here}/sluice.service ${here}/sluice-https.socket ${here}/sluice-http.socket
    ${here}/sluice-wish.path ${here}/sluice-wish.service ${here}/sluice-network.service
    DESTINATION lib/systemd/system)
install(PROGRAMS ${here}/start DESTINATION lib/sluice)
install(FILES ${here}/70-sluice-ports.rules DESTINATION lib/udev/rules.d)
install(FILES ${here}/copyright DESTINATION share/doc/sluice)

function(gzip source destination name)
    set(packed ${PROJECT_BINARY_DIR}/packed/${name})
    add_custom_command(OUTPUT ${packed} COMMAND gzip -9nc ${source} > ${packed} DEPENDS ${source} VERBATIM)
    set_property(GLOBAL APPEND PROPERTY SLUICE_PACKED ${packed})
    install(FILES ${packed} DESTINATION ${destination})
endfunction()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/packed)
gzip(${PROJECT_SOURCE_DIR}/docs/man/sluice.1 ${CMAKE_INSTALL_MANDIR}/man1 sluice.1.gz)
gzip(${PROJECT_SOURCE_DIR}/docs/man/sluiced.8 ${CMAKE_INSTALL_MANDIR}/man8 sluiced.8.gz)
gzip(${here}/changelog share/doc/sluice changelog.gz)
get_property(packed GLOBAL PROPERTY SLUICE_PACKED)
add_custom_target(packed ALL DEPENDS ${packed})

if(SLUICE_PACKAGE_VERSION)
    set(CPACK_DEBIAN_PACKAGE_VERSION ${SLUICE_PACKAGE_VERSION}+${SLUICE_PACKAGE})
else()
    set(CPACK_DEBIAN_PACKAGE_VERSION ${PROJECT_VERSION}+${SLUICE_PACKAGE})
endif()
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_CONTACT "The Sluice project <maintainers@sluice.example>")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_SOURCE_DIR}/build/package)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${SLUICE_PACKAGE_ARCH})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "MQTT edge gateway that loses no event it has stored
Sluice polls field devices (Modbus RTU and TCP, serial lines), keeps what it
reads in a journal that survives power cuts, and publishes it to MQTT brokers
over TLS. It has a web page of its own: sluice setup --page says where.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${here}/preinst ${here}/postinst ${here}/prerm ${here}/postrm)
include(CPack)
