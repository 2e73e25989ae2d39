// The contract of a homeserver, kept by the small one of dev/.
import { startHomeserver } from "../../dev/homeserver/homeserver.ts";
import { startAppserviceDouble } from "./appservice-double.ts";
import { homeserverContract } from "./homeserver.contract.ts";

homeserverContract("the small homeserver", async () => {
  const domain = "example.org";
  const appservice = await startAppserviceDouble(domain);
  const homeserver = await startHomeserver({
    domain,
    registrations: [appservice.registration],
    retryBaseMs: 5,
    mediaServices: ["http://127.0.0.1:9/token"],
  });
  let people = 0;
  return {
    behavesLike: "Synapse",
    url: homeserver.url,
    domain,
    appservice,
    newUser: () => Promise.resolve(homeserver.addUser(`person${(people += 1)}`)),
    stop: async () => {
      await homeserver.stop();
      await appservice.stop();
    },
  };
});
