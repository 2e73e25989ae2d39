// The contract of a homeserver, kept by a real Synapse: what the small one of dev/ is held to is what this one does.
import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { startAppserviceDouble } from "../../contract/appservice-double.ts";
import { homeserverContract } from "../../contract/homeserver.contract.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { startSynapse } from "../parts/homeservers/synapse.ts";

const domain = "example.org";
const rig = suiteRig("homeserver-contract");

homeserverContract("Synapse", async () => {
  const appservice = await startAppserviceDouble(domain);
  // Should Synapse not start, nobody else would stop it.
  rig.defer("the application service", () => appservice.stop());
  const registrationFile = rig.path("registration.yaml");
  await writeFile(registrationFile, stringify(appservice.registration));
  const synapse = await startSynapse(rig, {
    serverName: domain,
    registrations: [registrationFile],
    livekitServiceUrl: "http://127.0.0.1:9/token",
  });
  let people = 0;
  return {
    behavesLike: "Synapse",
    url: synapse.url,
    domain,
    appservice,
    newUser: () => synapse.register(`person${(people += 1)}`),
    stop: () => synapse.stop(),
  };
});
