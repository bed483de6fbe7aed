# Runs COMMAND (a list) and fails unless it ends with EXIT_CODE and prints something that matches PATTERN. CTest itself
# looks at either the exit code or the output.
execute_process(COMMAND ${COMMAND} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
message("${output}")
if(NOT code STREQUAL EXIT_CODE)
  message(FATAL_ERROR "ended with ${code}, not with ${EXIT_CODE}")
endif()
if(NOT output MATCHES "${PATTERN}")
  message(FATAL_ERROR "printed nothing that matches '${PATTERN}'")
endif()
