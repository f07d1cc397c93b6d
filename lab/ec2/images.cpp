#include <algorithm>

#include "ec2/describe.h"
#include "ec2/handlers.h"

namespace icelab {

json describe_images(Ec2Call& call) {
  const json owners = call.list("Owners");
  json list = json::array();
  for (json& image : select_objects(call, "images")) {
    const std::string owner = image.value("OwnerId", "");
    const bool wanted = owners.empty() || std::any_of(owners.begin(), owners.end(), [&](const json& one) {
                          return one == owner || one == image.value("ImageOwnerAlias", "-") || (one == "self" && owner == call.world.account);
                        });
    if (wanted) list.push_back(std::move(image));
  }
  return {{"Images", std::move(list)}};
}

json describe_image_attribute(Ec2Call& call) {
  const std::string id = call.text("ImageId");
  const json& image = find_object(call, "images", id);
  call.permit({{"image", id, tags_of(image), false, {}}});
  const std::string name = call.text("Attribute");
  json out = {{"ImageId", id}};
  if (name == "description") {
    out["Description"] = {{"Value", image.value("Description", "")}};
  } else if (name == "blockDeviceMapping") {
    out["BlockDeviceMappings"] = image.value("BlockDeviceMappings", json::array());
  } else if (name == "launchPermission") {
    out["LaunchPermissions"] = json::array();
    if (image.value("Public", false)) out["LaunchPermissions"].push_back({{"Group", "all"}});
  } else {
    throw ApiError("InvalidParameterValue", "The attribute " + name + " is not one that the lab has");
  }
  return out;
}

}  // namespace icelab
