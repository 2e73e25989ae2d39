// What the command line says to the doctor.

export interface DoctorFlags {
  readonly config: string;
  readonly file: string;
  readonly port?: number;
  readonly json?: true;
  readonly homeserverConfig?: string;
  readonly call?: string;
  readonly trunk?: string;
}
