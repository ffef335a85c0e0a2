/** How often a store forgets what retention no longer asks for (CrowdSec's flush runs as often). */
export const maintenancePeriodMs = 60_000;
