# Most tests wait more than they do: tools/test runs three of them for each processor, beside each other. These are the
# PROCESSORS of a test that does not wait: it keeps one busy, or all that there are.
set(SLUICE_BUSY 3)
cmake_host_system_information(RESULT SLUICE_BUSY_ALL QUERY NUMBER_OF_LOGICAL_CORES)
math(EXPR SLUICE_BUSY_ALL "${SLUICE_BUSY} * ${SLUICE_BUSY_ALL}")

# With Debian's own Python, whose packages the programs need.
find_program(SLUICE_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)

# Adds the program SOURCE as the test NAME; or, with APART, each test that it hands to its main() as one of its own,
# NAME.FUNCTION, so that they run beside each other. Sets `made` to what was added.
function(add_python_tests name source)
    set(made ${name})
    if("APART" IN_LIST ARGN)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
        file(READ ${source} text)
        string(REGEX MATCH "\n *main\\(([^)]*)\\)" list "${text}")
        string(REGEX REPLACE "[a-z_]+=[a-z_]+" "" list "${CMAKE_MATCH_1}")
        string(REGEX MATCHALL "[a-z_0-9]+" functions "${list}")
        if(NOT functions)
            message(FATAL_ERROR "${source} hands no tests to main()")
        endif()
        list(TRANSFORM functions PREPEND ${name}. OUTPUT_VARIABLE made)
        foreach(function ${functions})
            add_test(NAME ${name}.${function} COMMAND ${SLUICE_PYTHON} -B -u ${source} ${function})
        endforeach()
    else()
        add_test(NAME ${name} COMMAND ${SLUICE_PYTHON} -B -u ${source})
    endif()
    set_tests_properties(${made} PROPERTIES SKIP_RETURN_CODE 77 ENVIRONMENT "SLUICE_BUILD=${PROJECT_BINARY_DIR}")
    set(made ${made} PARENT_SCOPE)
endfunction()
