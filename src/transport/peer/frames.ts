/** First frame of every stream, both ways. Empty strings: not known. */
export interface Hello {
  readonly version: number;
  readonly cluster: string;
  readonly from: string;
  readonly to: string;
  readonly address: string;
}

export interface CallRequest {
  readonly id: number;
  readonly method: string;
  readonly body: Uint8Array;
}

export interface CallFailure {
  readonly code: string;
  readonly message: string;
}

export interface CallResponse {
  readonly id: number;
  readonly body: Uint8Array;
  /** null: the call succeeded. */
  readonly failure: CallFailure | null;
}

interface Bodies {
  readonly hello: Hello;
  readonly batch: { readonly messages: readonly Uint8Array[] };
  readonly requests: { readonly requests: readonly CallRequest[] };
  readonly responses: { readonly responses: readonly CallResponse[] };
  readonly offer: {
    readonly term: number;
    readonly header: Uint8Array;
    readonly resumeKey: string;
    readonly chunkCount: number;
  };
  readonly start: { readonly chunk: number };
  readonly chunk: { readonly number: number; readonly bytes: Uint8Array };
  readonly done: object;
  readonly failure: CallFailure;
}

/** Message Frame of proto/peer.proto: `body` names the one field of the oneof that is set. */
export type Frame = {
  readonly [Name in keyof Bodies]: { readonly body: Name } & Pick<Bodies, Name>;
}[keyof Bodies];
