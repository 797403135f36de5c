# What each event, frame or byte goes through is built for speed in a package that is otherwise built for size; not at link time, where
# the outliner would take it for the rest.
if(SLUICE_PACKAGE)
    set_source_files_properties(crc32c.c codec.c event.c text.c text_number.c DIRECTORY ${PROJECT_SOURCE_DIR}/gateway/core
        PROPERTIES COMPILE_OPTIONS "-O2;-fno-lto")
    set_source_files_properties(frame.c lane.c ring.c pack.c writer.c store.c reader.c events.c DIRECTORY ${PROJECT_SOURCE_DIR}/gateway/journal
        PROPERTIES COMPILE_OPTIONS "-O2;-fno-lto")
    set_source_files_properties(carry.c pump.c DIRECTORY ${PROJECT_SOURCE_DIR}/gateway/tls PROPERTIES COMPILE_OPTIONS "-O2;-fno-lto")
    set_source_files_properties(sink.c DIRECTORY ${PROJECT_SOURCE_DIR}/gateway/field PROPERTIES COMPILE_OPTIONS "-O2;-fno-lto")
    set_source_files_properties(decode.c DIRECTORY ${PROJECT_SOURCE_DIR}/drivers/modbus PROPERTIES COMPILE_OPTIONS "-O2;-fno-lto")
endif()
