// Names and pictures of the people behind numbers.
import { listOf, section, text } from "./scalars.ts";

const entry = section({
  name: text("should be a name")
    .describe("Name to show for the numbers.")
    .meta({ examples: ["Dr Watson"] }),
  numbers: listOf(text("should be a number in quotes"), "numbers")
    .min(1, { error: "should hold one number at least" })
    .describe("Numbers of this contact, in any spelling.")
    .meta({ examples: [["+441632960106"]] }),
  picture: text("should be the path of a picture")
    .optional()
    .describe("Path of the picture: PNG, JPEG, GIF or WebP, up to 1 MB.")
    .meta({ examples: ["/etc/matrix-appservice-sip/watson.png"] }),
});

export const contacts = section({
  vcard: text("should be the path of a vCard file")
    .optional()
    .describe(
      "Path of a vCard file (versions 2.1 to 4.0), as telephones and address books export it. The bridge reads it again when it changes, and never opens links in it.",
    )
    .meta({ examples: ["/etc/matrix-appservice-sip/contacts.vcf"] }),
  entries: listOf(entry, "contacts")
    .default([])
    .describe("Contacts written by hand. They override those in the file.")
    .meta({ examples: [[{ name: "Dr Watson", numbers: ["+441632960106"] }]] }),
});
