// The one error a request can end with on purpose: status, errcode and words as
// the client-server API defines them. Anything else thrown is our own fault (500).

type JsonFields = { readonly [field: string]: unknown };

export class MatrixError extends Error {
  override readonly name = "MatrixError";
  readonly status: number;
  readonly errcode: string;
  /** Fields beside `errcode` and `error`, such as the flows of a 401. */
  readonly fields: JsonFields;

  constructor(status: number, errcode: string, message: string, fields: JsonFields = {}) {
    super(message);
    this.status = status;
    this.errcode = errcode;
    this.fields = fields;
  }

  toJSON(): JsonFields {
    return { errcode: this.errcode, error: this.message, ...this.fields };
  }
}

export const forbidden = (message: string) => new MatrixError(403, "M_FORBIDDEN", message);
export const notFound = (message: string) => new MatrixError(404, "M_NOT_FOUND", message);
export const badJson = (message: string) => new MatrixError(400, "M_BAD_JSON", message);
export const invalidParam = (message: string) => new MatrixError(400, "M_INVALID_PARAM", message);
