# Builds for Debian's armhf: cmake -DCMAKE_TOOLCHAIN_FILE=firmware/package/armhf.cmake -DSLUICE_SYSROOT=$(tools/sysroot armhf)
set(triplet arm-linux-gnueabihf)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CMAKE_C_FLAGS_INIT "-march=armv7-a -mfpu=vfpv3-d16 -mthumb") # what Debian asks of every such processor
include(${CMAKE_CURRENT_LIST_DIR}/sysroot.cmake)
