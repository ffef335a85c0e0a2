/** Decisions are lifted: at once here, durably, and known to the ledger before anybody is answered. */
import type { Decision } from '../../decision.ts';
import type { StoreWrite } from '../../store/store.ts';
import type { LapiDependencies } from '../lapi-context.ts';

/** How long the answer waits for the ledger, so that who is answered does not find in it what was lifted. */
const patienceMs = 1_000;

/** `besides`: writes that follow in the same go. @throws GatewayError when the store does not take it. */
export async function lift(
  { publisher, ledger }: Pick<LapiDependencies, 'publisher' | 'ledger'>,
  decisions: readonly Decision[],
  besides: readonly StoreWrite[] = [],
): Promise<void> {
  if (decisions.length + besides.length === 0) return;
  const last = decisions.at(-1);
  const heard = last && ledger.heardOf(last.uuid, patienceMs);
  await publisher.commit([...decisions.map((decision) => deletion(decision)), ...besides]);
  await heard;
}

/** Entries of the ledger have a number besides. */
function deletion(decision: Decision): StoreWrite {
  const { uuid, origin, scenario, scope, value, type, until, createdAt, simulated, alertUuid } = decision;
  return {
    kind: 'decision-deleted',
    decision: { uuid, origin, scenario, scope, value, type, until, createdAt, simulated, alertUuid },
  };
}
