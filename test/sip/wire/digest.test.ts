// Digest on the wire: the examples of RFC 2617, RFC 7616 and RFC 8760, several challenges at once, stale nonces,
// and both our ends against each other.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../arbitraries/any-text.ts";
import {
  parseAuthParams,
  parseChallenges,
  strongestPerRealm,
  worthAnswering,
  type Challenge,
  type DigestAlgorithm,
} from "../../../src/sip/wire/digest/digest-challenge.ts";
import { DigestVerifier } from "../../../src/sip/wire/digest/digest-verifier.ts";
import { DigestClient, digestHash, digestResponse } from "../../../src/sip/wire/digest/digest.ts";

const RFC_2617 = {
  username: "Mufasa",
  realm: "testrealm@host.com",
  password: "Circle Of Life",
  method: "GET",
  uri: "/dir/index.html",
  nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
  cnonce: "0a4f113b",
  nonceCount: "00000001",
  qop: "auth",
} as const;

const RFC_7616 = {
  username: "Mufasa",
  realm: "http-auth@example.org",
  password: "Circle of Life",
  method: "GET",
  uri: "/dir/index.html",
  nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
  cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
  nonceCount: "00000001",
  qop: "auth",
} as const;

const RFC_7616_UTF8 = {
  username: "Jäsøn Doe",
  realm: "api@example.org",
  password: "Secret, or not?",
  method: "GET",
  uri: "/doe.json",
  nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
  cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
  nonceCount: "00000001",
  qop: "auth",
} as const;

describe("the response of the RFCs' examples", () => {
  it("RFC 2617 s3.5, MD5 with qop", () => {
    expect(digestResponse({ ...RFC_2617, algorithm: "MD5" })).toBe("6629fae49393a05397450978507c4ef1");
  });

  it("RFC 2069 s2.4, MD5 without qop (with the published erratum)", () => {
    const input = { ...RFC_2617, password: "CircleOfLife", algorithm: "MD5", qop: undefined } as const;
    expect(digestResponse(input)).toBe("1949323746fe6a43ef61f9606e7febea");
  });

  it("RFC 7616 s3.9.1, MD5 and SHA-256", () => {
    expect(digestResponse({ ...RFC_7616, algorithm: "MD5" })).toBe("8ca523f5e9506fed4657c9700eebdbec");
    expect(digestResponse({ ...RFC_7616, algorithm: "SHA-256" })).toBe(
      "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    );
  });

  it("RFC 7616 s3.9.2, SHA-512-256 with a UTF-8 name (erratum 4897)", () => {
    expect(digestHash("SHA-512-256", "Jäsøn Doe:api@example.org")).toBe(
      "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b",
    );
    expect(digestResponse({ ...RFC_7616_UTF8, algorithm: "SHA-512-256" })).toBe(
      "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
    );
  });

  it("-sess puts nonce and cnonce into A1 (RFC 7616 s3.4.2)", () => {
    const base = digestHash("SHA-256", "Mufasa:http-auth@example.org:Circle of Life");
    const a1 = digestHash("SHA-256", `${base}:${RFC_7616.nonce}:${RFC_7616.cnonce}`);
    const a2 = digestHash("SHA-256", "GET:/dir/index.html");
    const expected = digestHash("SHA-256", `${a1}:${RFC_7616.nonce}:00000001:${RFC_7616.cnonce}:auth:${a2}`);
    expect(digestResponse({ ...RFC_7616, algorithm: "SHA-256-sess" })).toBe(expected);
  });
});

describe("challenges", () => {
  it("are read from one header with several, commas within quotes and all", () => {
    const value =
      'Digest realm="a, b=c", nonce="n\\"1", qop="auth,auth-int", algorithm=SHA-256, stale=TRUE, ' +
      'Basic realm="x", DIGEST realm="biloxi.com",nonce="n2" , opaque="o"';
    expect(parseChallenges(value, false)).toEqual([
      {
        proxy: false,
        realm: "a, b=c",
        nonce: 'n"1',
        opaque: undefined,
        algorithm: "SHA-256",
        algorithmNamed: true,
        qop: "auth",
        stale: true,
        userhash: false,
      },
      {
        proxy: false,
        realm: "biloxi.com",
        nonce: "n2",
        opaque: "o",
        algorithm: "MD5",
        algorithmNamed: false,
        qop: undefined,
        stale: false,
        userhash: false,
      },
    ]);
  });

  it("that we cannot answer are left out: other schemes, algorithms, auth-int alone, no nonce", () => {
    expect(parseChallenges('Bearer authz_server="https://x"', false)).toEqual([]);
    expect(parseChallenges('Digest realm="x", nonce="n", algorithm=SHA3', false)).toEqual([]);
    expect(parseChallenges('Digest realm="x", nonce="n", qop="auth-int"', false)).toEqual([]);
    expect(parseChallenges('Digest realm="x"', false)).toEqual([]);
    expect(parseChallenges('Digest realm="open', false)).toEqual([]);
  });

  it("the strongest of each realm is answered, whatever their order (RFC 8760 s2.4)", () => {
    const challenges = [
      ...parseChallenges('Digest realm="a", nonce="1", algorithm=MD5', true),
      ...parseChallenges('Digest realm="a", nonce="2", algorithm=SHA-512-256', true),
      ...parseChallenges('Digest realm="a", nonce="3", algorithm=SHA-256', true),
      ...parseChallenges('Digest realm="b", nonce="4", algorithm=MD5', true),
      ...parseChallenges('Digest realm="a", nonce="5", algorithm=MD5', false),
    ];
    expect(strongestPerRealm(challenges).map(({ nonce }) => nonce)).toEqual(["2", "4", "5"]);
  });

  it("are answered again only when the nonce was stale, not when the password was wrong", () => {
    const [first] = parseChallenges('Digest realm="a", nonce="1"', false);
    const [refused] = parseChallenges('Digest realm="a", nonce="2"', false);
    const [stale] = parseChallenges('Digest realm="a", nonce="2", stale=true', false);
    if (!first || !refused || !stale) throw new Error("not parsed");
    expect(worthAnswering(first, undefined)).toBe(true);
    expect(worthAnswering(refused, first)).toBe(false);
    expect(worthAnswering(stale, first)).toBe(true);
    expect(worthAnswering(stale, stale)).toBe(false);
  });
});

function challenge(parts: Partial<Challenge>): Challenge {
  const [base] = parseChallenges('Digest realm="sip.example.org", nonce="abc", qop="auth"', false);
  if (base === undefined) throw new Error("not parsed");
  return { ...base, ...parts };
}

function paramsOf(value: string): ReadonlyMap<string, string> {
  return parseAuthParams(value)[0]?.params ?? new Map();
}

describe("the client", () => {
  const credentials = { username: "alice", password: "secret" };
  const request = { method: "INVITE", uri: "sip:+15558675309@sip.example.org" };

  it("counts how often it used a nonce, and starts again with a new one", () => {
    const client = new DigestClient(credentials);
    const counts = ["abc", "abc", "def", "abc"].map((nonce) =>
      paramsOf(client.authorization({ ...request, challenge: challenge({ nonce }) }).value).get("nc"),
    );
    expect(counts).toEqual(["00000001", "00000002", "00000001", "00000003"]);
  });

  it("forgets the oldest nonces of a server that gives a new one each time", () => {
    const client = new DigestClient(credentials);
    for (let index = 0; index < 1_000; index++) {
      client.authorization({ ...request, challenge: challenge({ nonce: `n${index}` }) });
    }
    const again = client.authorization({ ...request, challenge: challenge({ nonce: "n0" }) });
    expect(paramsOf(again.value).get("nc")).toBe("00000001");
  });

  it("answers a proxy in Proxy-Authorization, names the algorithm only when asked by name, returns opaque", () => {
    const client = new DigestClient(credentials, () => "cn");
    const plain = client.authorization({ ...request, challenge: challenge({ qop: undefined, opaque: 'o"p' }) });
    expect(plain.name).toBe("Authorization");
    expect(plain.value).not.toMatch(/algorithm|cnonce|qop|nc=/);
    expect(plain.value).toContain('opaque="o\\"p"');
    const proxied = client.authorization({
      ...request,
      challenge: challenge({ proxy: true, algorithm: "SHA-256", algorithmNamed: true }),
    });
    expect(proxied.name).toBe("Proxy-Authorization");
    expect(proxied.value).toMatch(/, algorithm=SHA-256, cnonce="cn", qop=auth, nc=00000002$/);
  });

  it("hides its name where the server asks for a hash of it (RFC 7616 s3.4.4)", () => {
    const client = new DigestClient(RFC_7616_UTF8, () => RFC_7616_UTF8.cnonce);
    const { realm, nonce } = RFC_7616_UTF8;
    const { value } = client.authorization({
      challenge: challenge({ realm, nonce, algorithm: "SHA-512-256", algorithmNamed: true, userhash: true }),
      method: "GET",
      uri: "/doe.json",
    });
    const params = paramsOf(value);
    expect(params.get("username")).toBe("793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
    expect(params.get("response")).toBe("3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
    expect(params.get("userhash")).toBe("true");
  });

  it("gives nobody a second header: what a server puts into its challenge comes back on one line", () => {
    const anything = anyText({ maxLength: 40 });
    fc.assert(
      fc.property(anything, anything, anything, anything, (realm, nonce, opaque, username) => {
        const client = new DigestClient({ username, password: "p" });
        const { value } = client.authorization({ ...request, challenge: challenge({ realm, nonce, opaque }) });
        expect(value).not.toMatch(/\p{Cc}/u);
        expect([...paramsOf(value).keys()]).toEqual([
          "username",
          "realm",
          "nonce",
          "uri",
          "response",
          "cnonce",
          "qop",
          "nc",
          "opaque",
        ]);
      }),
    );
  });
});

describe("a server and a client", () => {
  const uri = "sip:dev.example.org";

  function verifier(parts: {
    algorithms?: readonly DigestAlgorithm[];
    qop?: "auth" | undefined;
    nowMs?: () => number;
  }) {
    return new DigestVerifier({
      realm: "dev.example.org",
      algorithms: ["SHA-512-256", "SHA-256", "MD5"],
      qop: "auth",
      nonceLifetimeMs: 30_000,
      nowMs: () => 1_000,
      ...parts,
    });
  }

  function answer(server: DigestVerifier, password: string, stale = false): string {
    const [best] = strongestPerRealm(server.challenges(stale).flatMap((value) => parseChallenges(value, false)));
    if (best === undefined) throw new Error("no challenge to answer");
    const client = new DigestClient({ username: "alice", password });
    return client.authorization({ challenge: best, method: "REGISTER", uri }).value;
  }

  const passwordOf = (username: string): string | undefined => (username === "alice" ? "secret" : undefined);

  it.each(["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"] as const)(
    "agree on %s, with qop and without",
    (algorithm) => {
      for (const qop of ["auth", undefined] as const) {
        const server = verifier({ algorithms: [algorithm], qop });
        const value = answer(server, "secret");
        expect(server.verify([value], "REGISTER", passwordOf)).toEqual({ outcome: "accepted", username: "alice" });
      }
    },
  );

  it("a wrong password, an unknown user and another method are refused", () => {
    const server = verifier({});
    expect(server.verify([answer(server, "wrong")], "REGISTER", passwordOf)).toEqual({ outcome: "wrong" });
    expect(server.verify([answer(server, "secret")], "REGISTER", () => undefined)).toEqual({ outcome: "wrong" });
    expect(server.verify([answer(server, "secret")], "INVITE", passwordOf)).toEqual({ outcome: "wrong" });
    const weaker = answer(verifier({ algorithms: ["MD5"] }), "secret");
    expect(verifier({ algorithms: ["SHA-256"] }).verify([weaker], "REGISTER", passwordOf).outcome).toBe("wrong");
  });

  it("a replayed answer is stale, the next count is not", () => {
    const server = verifier({});
    const value = answer(server, "secret");
    expect(server.verify([value], "REGISTER", passwordOf).outcome).toBe("accepted");
    expect(server.verify([value], "REGISTER", passwordOf).outcome).toBe("stale");
  });

  it("an old nonce and a nonce of someone else are stale, and the new challenge says so", () => {
    let nowMs = 1_000;
    const server = verifier({ nowMs: () => nowMs });
    const value = answer(server, "secret");
    nowMs += 30_001;
    expect(server.verify([value], "REGISTER", passwordOf).outcome).toBe("stale");
    expect(server.verify([answer(verifier({}), "secret")], "REGISTER", passwordOf).outcome).toBe("stale");
    expect(server.challenges(true).every((text) => text.includes("stale=true"))).toBe(true);
    expect(server.verify([answer(server, "secret", true)], "REGISTER", passwordOf).outcome).toBe("accepted");
  });

  it("credentials for another realm, of another scheme or none at all are missing", () => {
    const server = verifier({});
    expect(server.verify([], "REGISTER", passwordOf)).toEqual({ outcome: "missing" });
    expect(server.verify(["NoOneKnowsThisScheme opaque-data=here"], "REGISTER", passwordOf).outcome).toBe("missing");
    expect(server.verify(['Digest realm="elsewhere"'], "REGISTER", passwordOf).outcome).toBe("missing");
  });

  it("whatever is sent as credentials, the server gives a verdict", () => {
    const server = verifier({});
    const value = answer(server, "secret");
    fc.assert(
      fc.property(fc.nat(value.length), fc.nat(20), anyText({ maxLength: 5 }), (at, cut, text) => {
        const mutant = value.slice(0, at) + text + value.slice(at + cut);
        expect(["accepted", "missing", "stale", "wrong"]).toContain(
          server.verify([mutant], "REGISTER", passwordOf).outcome,
        );
      }),
    );
  });
});
