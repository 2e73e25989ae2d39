// What Helm holds the chart's values against before anything is installed: the configuration by the bridge's own schema.
import { configJsonSchema } from "../../src/config/reading/reference.ts";

const text = { type: "string" };
const flag = { type: "boolean" };
const map = { type: "object" };

const section = (properties: Readonly<Record<string, unknown>>): object => ({
  type: "object",
  additionalProperties: false,
  properties,
});

export function helmValuesSchema(): object {
  const { $schema, ...config } = configJsonSchema();
  const values = section({
    image: section({
      repository: { ...text, minLength: 1 },
      tag: text,
      pullPolicy: { enum: ["Always", "IfNotPresent", "Never"] },
      pullSecrets: { type: "array", items: text },
    }),
    config,
    secrets: section({ registration: text, environment: text }),
    hostNetwork: flag,
    service: section({ type: { enum: ["ClusterIP", "NodePort", "LoadBalancer"] } }),
    persistence: section({ enabled: flag, existingClaim: text, storageClass: text, size: text }),
    serviceMonitor: section({ enabled: flag, labels: map, interval: text, tokenKey: text }),
    resources: map,
    podAnnotations: map,
    nodeSelector: map,
    tolerations: { type: "array" },
    affinity: map,
    // Helm puts these in when the chart is a part of another one.
    global: map,
  });
  return { $schema, ...values, required: ["config", "secrets"] };
}
