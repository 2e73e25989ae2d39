// The command `init` on the command line.
import type { DescribeCommand } from "../command-shell.ts";
import type { InitFlags } from "./flags.ts";

export const describeInit: DescribeCommand = (program, shell) => {
  const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  program
    .command("init")
    .description(
      "Asks for homeserver, trunk, numbers and permissions, and writes the configuration and the registration. Run again, it adds a trunk or numbers.",
    )
    .option("--yes", "ask nothing: what has neither a flag nor a default is an error")
    .option("--homeserver-url <url>", "where the bridge reaches the homeserver")
    .option("--domain <name>", "the homeserver's server name")
    .option("--homeserver <software>", "synapse, dendrite, conduit, continuwuity or tuwunel")
    .option("--appservice-url <url>", "where the homeserver reaches the bridge")
    .option("--country <code>", "country of numbers that are dialled without a country code")
    .option("--trunk <preset>", "what is at the other end; docs/init.md lists the presets")
    .option("--name <name>", "the trunk's name (default: that of the preset)")
    .option("--server <host>", "where the trunk is")
    .option("--username <name>", "the account at the trunk")
    .option("--password-file <path>", "a file that holds the account's password")
    .option("--number <number>", "the number that calls show")
    .option("--address <address>", "the address of this machine that the trunk reaches")
    .option("--port <port>", "the port of this machine that the trunk reaches")
    .option("--public-address <address>", "the public address, behind NAT")
    .option("--ring <number=who>", "whom a number rings; may be repeated", several)
    .option("--route <prefix>", "for an added trunk: how numbers begin that go over it; may be repeated", several)
    .option("--allow <who>", "who may call: user ids, server names, or nobody")
    .option("--join-for-people", "let first calls ring for everybody (docs/people/first-calls.md)")
    .option("--registration-copy <path>", "where the homeserver's copy of the registration goes")
    .option("--homeserver-user <user>", "the user that the homeserver runs as")
    .option("-c, --config <path>", "the configuration (default: config.yaml)")
    .option("-f, --file <path>", "the registration (default: registration.yaml)")
    .action((flags: Partial<InitFlags>) =>
      shell.choose(async () => {
        // Only this command needs it.
        const { init } = await import("./init.ts");
        return init({ ...shell.files(), ...flags }, shell.terminal);
      }),
    );
};
