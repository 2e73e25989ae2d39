// The contract of a homeserver, kept by a real Dendrite.
import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { startAppserviceDouble } from "../../contract/appservice-double.ts";
import { homeserverContract } from "../../contract/homeserver.contract.ts";
import { startDendrite } from "../parts/homeservers/dendrite.ts";
import { suiteRig } from "../parts/base/rig.ts";

const domain = "example.org";
const rig = suiteRig("homeserver-contract-dendrite");

homeserverContract("Dendrite", async () => {
  const appservice = await startAppserviceDouble(domain);
  rig.defer("the application service", () => appservice.stop());
  const registrationFile = rig.path("registration.yaml");
  await writeFile(registrationFile, stringify(appservice.registration));
  const dendrite = await startDendrite(rig, { serverName: domain, registrations: [registrationFile] });
  let people = 0;
  return {
    behavesLike: "Dendrite",
    url: dendrite.url,
    domain,
    appservice,
    newUser: () => dendrite.register(`person${(people += 1)}`),
    stop: () => dendrite.stop(),
  };
});
