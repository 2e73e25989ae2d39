// What the admin API answers instead of what was asked for: one shape, whatever is wrong.
import * as z from "zod";

/** The HTTP status of each. `unprocessable`: it has the right form, and still means nothing. */
export const errorStatus = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;
const codes = Object.keys(errorStatus) as [ErrorCode, ...ErrorCode[]];

export const errorBody = z.object({
  code: z.enum(codes),
  message: z.string(),
  field: z.string().optional().describe("The parameter, or the field of the body, that is wrong"),
});

export interface AdminErrorDetail {
  readonly field?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export class AdminError extends Error {
  override readonly name = "AdminError";
  readonly code: ErrorCode;
  readonly detail: AdminErrorDetail;
  constructor(code: ErrorCode, message: string, detail: AdminErrorDetail = {}) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}
