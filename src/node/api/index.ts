export { NodeClusterApi } from './cluster-api.ts';
export { CurrentMember } from './current-member.ts';
export { NodeStoreApi } from './store-api.ts';
export { NodeWatchApi } from './watch-api.ts';
