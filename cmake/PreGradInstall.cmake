# What `cmake --install` lays out: the libraries, the headers, and the package that find_package(PreGrad) reads.
include(CMakePackageConfigHelpers)
set(_pregrad_package "${CMAKE_INSTALL_LIBDIR}/cmake/PreGrad")

install(TARGETS pregrad EXPORT PreGradTargets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
if(PREGRAD_HAS_JNI)
  install(TARGETS pregrad_boot LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/pregrad" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(FILES "${PROJECT_SOURCE_DIR}/third-party.txt" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES "${PROJECT_BINARY_DIR}/include/pregrad/version.hpp" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/pregrad")
install(EXPORT PreGradTargets NAMESPACE PreGrad:: DESTINATION "${_pregrad_package}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/PreGradConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/PreGradConfig.cmake" INSTALL_DESTINATION "${_pregrad_package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/PreGradConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/PreGradConfig.cmake" "${PROJECT_BINARY_DIR}/PreGradConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/FindLibTorch.cmake" DESTINATION "${_pregrad_package}")
