export { systemOffline } from './system-offline.ts';
export { showLog } from './inspect-log.ts';
export { recover } from './recover.ts';
export { verifyData } from './verify-log.ts';
