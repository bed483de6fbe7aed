# Copies the libraries from INSTALL to STAGE as the jar carries them: without symbol tables, and without the path of the
# LibTorch they were built on, since the JVM brings its own.
file(REMOVE_RECURSE "${STAGE}")
if(NOT EXISTS "${INSTALL}/lib/libpregrad_boot.so")
  message(STATUS "Built without JNI: there is nothing for the jar to carry")
  return()
endif()
foreach(library IN ITEMS libpregrad.so libpregrad_boot.so)
  file(COPY "${INSTALL}/lib/${library}" DESTINATION "${STAGE}")
  file(RPATH_SET FILE "${STAGE}/${library}" NEW_RPATH "")
  execute_process(COMMAND strip --strip-unneeded "${STAGE}/${library}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
