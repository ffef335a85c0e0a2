/**
 * The WAF as the request path sees it: which layers look at a request of a site, and in which mode. Without a layer a request
 * costs one question.
 */
import type { TransactionRequest } from '../../detectors/waf/engine/transaction-types.ts';
import type { Exchange } from '../exchange.ts';
import { layerModeOf, type Site } from '../sites.ts';
import { guardLayer } from './guarded-layer.ts';
import { type DecodeBody, Inspection, type ModedLayer } from './inspection.ts';
import type { Layer } from './rule-layer.ts';
import type { WafWatch } from './waf-watch.ts';

export interface Waf {
  /** Null: no rules look at requests of this site. */
  begin(exchange: Exchange, site: Site): Inspection | null;
}

export function createWaf(layers: readonly Layer[], decode: DecodeBody, watch: WafWatch): Waf {
  const guarded = layers.map((layer) => guardLayer(layer, watch));
  const active = new Map<Site, readonly ModedLayer[]>();
  const layersOf = (site: Site): readonly ModedLayer[] => {
    let found = active.get(site);
    if (found === undefined) active.set(site, (found = modedLayers(guarded, site)));
    return found;
  };
  return {
    begin(exchange, site) {
      const moded = layersOf(site);
      if (moded.length === 0) return null;
      const request = transactionRequest(exchange);
      return new Inspection(
        moded.map(({ layer, mode }) => ({ layer, mode, run: layer.begin(request, site) })),
        { decode, watch, requestId: exchange.id, source: 'gateway' },
      );
    },
  };
}

function modedLayers(layers: readonly Layer[], site: Site): readonly ModedLayer[] {
  return layers.flatMap((layer) => {
    const mode = layerModeOf(site, layer.name);
    return mode === 'off' ? [] : [{ layer, mode }];
  });
}

/** The request as the client sent it, before the gateway changes anything. */
function transactionRequest(exchange: Exchange): TransactionRequest {
  const { request } = exchange;
  const { socket } = request;
  return {
    id: exchange.id,
    clientAddress: exchange.client.address.text,
    clientPort: socket.remotePort ?? 0,
    serverAddress: socket.localAddress ?? '',
    serverPort: socket.localPort ?? 0,
    method: exchange.method,
    target: request.url ?? '',
    protocol: `HTTP/${request.httpVersion}`,
    headers: request.rawHeaders,
    startedAt: exchange.startedAt,
  };
}
