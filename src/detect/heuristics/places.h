// What a path says about a file: hidden, temporary, the packages' own ground.
#pragma once

#include <string_view>

namespace icecore::detect {

/// A folder or the file itself begins with a dot, and it is none of the usual ones in people's homes (.ssh, .config, .cache, .local …) or of version
/// control.
bool is_hidden_path(std::string_view path);
/// Under /tmp, /var/tmp, /dev/shm, /run/shm: where anyone may write.
bool is_temporary_path(std::string_view path);
/// Under /usr (but /usr/local), /bin, /sbin, /lib*, /boot: only packages put files there (FHS 3.0, 4.9).
bool is_packages_ground(std::string_view path);
/// Layers of containers and snaps: whole systems of their own, which no package of the host owns.
bool is_container_path(std::string_view path);
/// A folder of uploads, caches or pictures: data, where a program has no business.
bool is_upload_path(std::string_view path);

}  // namespace icecore::detect
