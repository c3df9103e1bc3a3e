/** Present once fleets that name no networks have been given some; whoever empties them later means it. */
export const NETWORKS_FILLED_KEY = "system/backend-networks";
