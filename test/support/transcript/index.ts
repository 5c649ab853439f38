export { rerun } from './run.ts';
