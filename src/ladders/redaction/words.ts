// Words that are known to be harmless: of the specifications, and of programs that speak SIP. Whatever is none of them may be a
// secret, and is not shown.

function setOf(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/));
}

export const methods = setOf(
  "INVITE ACK BYE CANCEL OPTIONS REGISTER PRACK UPDATE INFO REFER NOTIFY SUBSCRIBE MESSAGE PUBLISH",
);

export const optionTags = setOf(
  "100rel timer replaces norefersub path outbound gruu from-change histinfo tdialog join precondition answermode eventlist " +
    "early-session resource-priority sec-agree multiple-refer recipient-list-invite pref privacy uui ice trickle-ice siprec " +
    "callerid",
);

export const mediaTypes = setOf(
  "application/sdp application/dtmf-relay application/dtmf application/simple-message-summary application/pidf+xml " +
    "application/reginfo+xml application/dialog-info+xml application/media_control+xml application/isup text/plain text/html " +
    "message/sipfrag message/cpim message/sip multipart/mixed multipart/alternative multipart/related",
);

export const eventPackages = setOf(
  "refer message-summary presence dialog conference reg keep-alive check-sync talk hold",
);

/** Of User-Agent and Server. */
export const products = setOf(
  "asterisk pbx freeswitch freepbx fpbx kamailio opensips openser drachtio sipp baresip pjsua pjsip linphone liblinphone " +
    "twilio telnyx sipgate avm fritz fritz!box fritzos yealink snom polycom poly grandstream cisco sonus oracle audiocodes " +
    "mediant ribbon metaswitch perimeta genband broadworks vonage voip.ms bandwidth 3cx phonesystem mitel unify swisscom " +
    "telekom zoiper microsip bria x-lite gateway matrix-appservice-sip mod_sofia sofia-sip acme packet sbc debian ubuntu git " +
    "release",
);

export const codecs = setOf(
  "PCMU PCMA G722 G729 G726-32 GSM ILBC OPUS SPEEX L16 AMR AMR-WB EVS CN TELEPHONE-EVENT RED ULPFEC VP8 VP9 H264 AV1 RTX SILK " +
    "G723 G7221 CLEARMODE",
);

export const formatParameters = setOf(
  "annexb annexa useinbandfec maxplaybackrate stereo sprop-stereo sprop-maxcapturerate minptime maxptime ptime cbr usedtx " +
    "maxaveragebitrate mode-set octet-align mode-change-capability max-red bitrate mode",
);

export const suites = setOf(
  "AES_CM_128_HMAC_SHA1_80 AES_CM_128_HMAC_SHA1_32 AES_256_CM_HMAC_SHA1_80 AES_256_CM_HMAC_SHA1_32 AEAD_AES_128_GCM " +
    "AEAD_AES_256_GCM AES_CM_256_HMAC_SHA1_80 AES_CM_256_HMAC_SHA1_32 AES_192_CM_HMAC_SHA1_80 F8_128_HMAC_SHA1_80",
);

const phrases: Readonly<Record<number, string>> = {
  100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress", 199: "Early Dialog Terminated",
  200: "OK", 202: "Accepted", 204: "No Notification", 300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily",
  305: "Use Proxy", 380: "Alternative Service", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
  404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
  410: "Gone", 412: "Conditional Request Failed", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
  415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 417: "Unknown Resource-Priority", 420: "Bad Extension",
  421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief", 428: "Use Identity Header",
  429: "Provide Referrer Identity", 430: "Flow Failed", 433: "Anonymity Disallowed", 436: "Bad Identity-Info",
  437: "Unsupported Certificate", 438: "Invalid Identity Header", 439: "First Hop Lacks Outbound Support", 470: "Consent Needed",
  480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops",
  484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
  489: "Bad Event", 491: "Request Pending", 493: "Undecipherable", 494: "Security Agreement Required", 500: "Server Internal Error",
  501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported",
  513: "Message Too Large", 580: "Precondition Failure", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
  606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
}; // prettier-ignore

/** What a peer writes there is its own text: the usual words stand for it. */
export function phraseOf(status: number): string {
  return phrases[status] ?? "";
}
