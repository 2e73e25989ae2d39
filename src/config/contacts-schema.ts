// People behind numbers: how their calls are shown.
import { listOf, section, text } from "./scalars.ts";

const entry = section({
  name: text("should be a name")
    .describe("What the number is called.")
    .meta({ examples: ["Dr Watson"] }),
  numbers: listOf(text("should be a number in quotes"), "numbers")
    .min(1, { error: "should hold one number at least" })
    .describe("Numbers of this contact, in any spelling that people dial.")
    .meta({ examples: [["+441632960106"]] }),
  picture: text("should be the path of a picture")
    .optional()
    .describe("Path of its picture: PNG, JPEG, GIF or WebP, 1 MB at most.")
    .meta({ examples: ["/etc/matrix-appservice-sip/watson.png"] }),
});

export const contacts = section({
  vcard: text("should be the path of a vCard file")
    .optional()
    .describe(
      "Path of a vCard file (versions 2.1 to 4.0, as telephones and address books export it). Its names and pictures are shown for its numbers. The file is read again when it changes; addresses in it are never opened.",
    )
    .meta({ examples: ["/etc/matrix-appservice-sip/contacts.vcf"] }),
  entries: listOf(entry, "contacts")
    .default([])
    .describe("Contacts written by hand. They count before those of the file.")
    .meta({ examples: [[{ name: "Dr Watson", numbers: ["+441632960106"] }]] }),
});
