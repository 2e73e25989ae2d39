// The command `doctor` on the command line.
import type { DescribeCommand } from "../command-shell.ts";
import type { DoctorFlags } from "./flags.ts";

export const describeDoctor: DescribeCommand = (program, shell) => {
  program
    .command("doctor")
    .description(
      "Looks at every link between Matrix and the telephone, says what is wrong and what mends it. Beside a running bridge, and without one.",
    )
    .option("--json", "for programs: JSON instead of lines (docs/doctor.md)")
    .option("--call <number>", "place a test call to this number through the running bridge, which may cost money")
    .option("--trunk <name>", "with --call: over this trunk")
    .option("--homeserver-config <path>", "the homeserver's configuration, to look at its limits")
    .option("-c, --config <path>", "the configuration (default: config.yaml)")
    .option("-f, --file <path>", "the registration (default: registration.yaml)")
    .action((flags: Partial<DoctorFlags>) =>
      shell.choose(async () => {
        // Only this command needs it.
        const { doctor } = await import("./doctor.ts");
        return doctor({ ...shell.files(), ...flags }, shell.terminal);
      }),
    );
};
