/** Settings of the forward-auth endpoint. */
import * as z from 'zod';
import { listenAddressOrOff } from '../../core/options.ts';
import { trustedProxy } from '../options.ts';

export const forwardAuthOptions = z
  .strictObject({
    listen: listenAddressOrOff()
      .prefault('off')
      .describe(
        'Where other web servers ask whether a request may pass: `auth_request` of nginx, `forwardAuth` of Traefik, `forward_auth` of Caddy. `127.0.0.1:9181` for one on the same machine.',
      ),
    headers: z
      .enum(['x-forwarded', 'x-original'])
      .prefault('x-forwarded')
      .describe(
        'How the web server tells what its visitor asked for. `x-forwarded`: X-Forwarded-Method, -Host and -Uri, as Traefik and Caddy send them. `x-original`: X-Original-Method and X-Original-URI or -URL, as nginx is told to. Only one is believed, because visitors can send the other.',
      ),
    from: z
      .array(trustedProxy())
      .min(1)
      .max(10_000)
      .prefault(['loopback'])
      .describe(
        'Who may ask: networks, or the presets `loopback`, `private` and `cloudflare`. Their word on the client address is taken too.',
      ),
  })
  .prefault({})
  .describe('Decisions for web servers that the gateway does not stand in front of.');

export type ForwardAuthOptions = z.output<typeof forwardAuthOptions>;
