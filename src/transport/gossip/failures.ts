import { QuorateError } from '../../shared/index.ts';

export const unreachable = (to: string, found: string, cause?: unknown): QuorateError =>
  new QuorateError('UNREACHABLE', `Cannot exchange gossip with ${to} as it must answer: ${found}`, {
    cause,
  });

export const cannotListen = (listen: string, cause: unknown): QuorateError => {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const found =
    code === 'EADDRINUSE'
      ? 'address already in use'
      : cause instanceof Error
        ? cause.message
        : String(cause);
  return new QuorateError(
    'CONFIG_INVALID',
    `Cannot listen as --gossip ${listen} with UDP and TCP: ${found}`,
    { cause },
  );
};
