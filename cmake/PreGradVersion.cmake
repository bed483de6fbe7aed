# The version stands in one place, the property `revision` of the root pom.xml. Sets PREGRAD_VERSION_STRING (0.1.0-SNAPSHOT)
# and PREGRAD_VERSION (0.1.0).
file(READ "${CMAKE_CURRENT_LIST_DIR}/../pom.xml" _pregrad_pom)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/../pom.xml")
if(NOT _pregrad_pom MATCHES "<revision>(([0-9]+\\.[0-9]+\\.[0-9]+)[^<]*)</revision>")
  message(FATAL_ERROR "pom.xml has no <revision> like 1.2.3 or 1.2.3-SNAPSHOT: give it one")
endif()
set(PREGRAD_VERSION_STRING "${CMAKE_MATCH_1}")
set(PREGRAD_VERSION "${CMAKE_MATCH_2}")
