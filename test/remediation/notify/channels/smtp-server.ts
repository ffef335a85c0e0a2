/** A small SMTP server: greets, speaks STARTTLS and three kinds of AUTH, keeps what it gets. */
import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { listening } from '../support.ts';

export interface SmtpOptions {
  readonly user?: string;
  readonly password?: string;
  readonly auth?: readonly string[];
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  /** TLS from the first byte; otherwise STARTTLS is offered where there is `tls`. */
  readonly implicit?: boolean;
  readonly refuses?: readonly string[];
  /** Says nothing after the command of this name. */
  readonly silentAfter?: string;
}

export interface SmtpServer {
  readonly port: number;
  readonly commands: string[];
  readonly messages: {
    readonly from: string;
    readonly to: readonly string[];
    readonly data: string;
    readonly secured: boolean;
    readonly user: string;
  }[];
  readonly onCommand: (run: (command: string) => void) => void;
}

export async function smtpServer(
  t: { teardown(run: () => void): void },
  options: SmtpOptions = {},
): Promise<SmtpServer> {
  const commands: string[] = [];
  const messages: SmtpServer['messages'] = [];
  const sockets = new Set<Socket>();
  const watchers: ((command: string) => void)[] = [];
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const session = new Session(
      options,
      (command) => {
        commands.push(command);
        for (const each of watchers) each(command);
      },
      messages,
    );
    if (options.implicit) session.secure(socket, true);
    else session.attach(socket, true);
  });
  const port = await listening(server);
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, commands, messages, onCommand: (run) => void watchers.push(run) };
}

class Session {
  readonly #options: SmtpOptions;
  readonly #heard: (command: string) => void;
  readonly #messages: SmtpServer['messages'];
  #socket: Socket | null = null;
  #secured = false;
  #text = '';
  #next: ((line: string) => void) | null = null;
  #user = '';
  #from = '';
  #to: string[] = [];
  #data: string[] | null = null;

  constructor(options: SmtpOptions, heard: (command: string) => void, messages: SmtpServer['messages']) {
    this.#options = options;
    this.#heard = heard;
    this.#messages = messages;
  }

  attach(socket: Socket, greets: boolean): void {
    this.#socket = socket;
    this.#text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      for (let end = this.#text.indexOf('\r\n'); end !== -1; end = this.#text.indexOf('\r\n')) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        this.#line(line);
      }
    });
    if (greets) this.#say('220 test ESMTP');
  }

  secure(socket: Socket, greets: boolean): void {
    socket.removeAllListeners('data');
    const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(this.#options.tls) });
    this.#secured = true;
    this.attach(secure, greets);
  }

  #say(...lines: string[]): void {
    this.#socket?.write(`${lines.join('\r\n')}\r\n`);
  }

  #line(line: string): void {
    if (this.#data !== null) return this.#dataLine(line);
    if (this.#next !== null) {
      const next = this.#next;
      this.#next = null;
      return next(line);
    }
    this.#heard(line);
    const verb = line.split(' ')[0]?.toUpperCase() ?? '';
    if (this.#options.silentAfter === verb) return;
    switch (verb) {
      case 'EHLO':
        return this.#say(
          '250-test',
          ...(this.#options.tls && !this.#secured ? ['250-STARTTLS'] : []),
          ...(this.#options.auth ? [`250-AUTH ${this.#options.auth.join(' ')}`] : []),
          '250 8BITMIME',
        );
      case 'STARTTLS':
        if (this.#options.tls === undefined) return this.#say('502 no TLS here');
        this.#say('220 go');
        return this.#socket === null ? undefined : this.secure(this.#socket, false);
      case 'AUTH':
        return this.#auth(line);
      case 'MAIL':
        this.#from = /<(.*?)>/.exec(line)?.[1] ?? '';
        return this.#say('250 ok');
      case 'RCPT': {
        const to = /<(.*?)>/.exec(line)?.[1] ?? '';
        if (this.#options.refuses?.includes(to)) return this.#say('550 no such user');
        this.#to.push(to);
        return this.#say('250 ok');
      }
      case 'DATA':
        this.#data = [];
        return this.#say('354 go');
      case 'QUIT':
        this.#say('221 bye');
        return void this.#socket?.end();
      default:
        return this.#say('502 what?');
    }
  }

  #dataLine(line: string): void {
    if (line !== '.') return void this.#data?.push(line.replace(/^\.\./, '.'));
    const data = (this.#data ?? []).join('\r\n');
    this.#data = null;
    this.#messages.push({ from: this.#from, to: this.#to, data, secured: this.#secured, user: this.#user });
    this.#to = [];
    this.#say('250 queued');
  }

  #auth(line: string): void {
    const { user = '', password = '' } = this.#options;
    const plain = (text: string): string => Buffer.from(text, 'base64').toString('utf8');
    const settle = (right: boolean): void => {
      if (right) this.#user = user;
      this.#say(right ? '235 welcome' : `535 wrong password ${password}`);
    };
    const [, mechanism = '', initial = ''] = line.split(' ');
    if (mechanism === 'PLAIN') return settle(plain(initial) === `\0${user}\0${password}`);
    if (mechanism === 'CRAM-MD5') {
      const challenge = `<${randomBytes(8).toString('hex')}@test>`;
      this.#say(`334 ${Buffer.from(challenge).toString('base64')}`);
      this.#next = (answer) =>
        settle(plain(answer) === `${user} ${createHmac('md5', password).update(challenge).digest('hex')}`);
      return;
    }
    this.#say('334 VXNlcm5hbWU6');
    this.#next = (name) => {
      this.#say('334 UGFzc3dvcmQ6');
      this.#next = (pass) => settle(plain(name) === user && plain(pass) === password);
    };
  }
}
