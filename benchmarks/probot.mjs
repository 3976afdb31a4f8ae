// Probot with a handler that does nothing: the peer of benchmarks/deliveries.py.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { createNodeMiddleware, createProbot } = await import(pathToFileURL(process.argv[2]).href);
const { APP_KEY: privateKey, WEBHOOK_SECRET: secret, PORT } = process.env;
const probot = createProbot({ overrides: { appId: 1, privateKey, secret, logLevel: "fatal" } });
const app = (probot) => { probot.on("push", async () => {}); };
const middleware = await createNodeMiddleware(app, { probot, webhooksPath: "/webhooks/github" });
createServer((request, response) => middleware(request, response, () => response.writeHead(404).end()))
  .listen(Number(PORT), "127.0.0.1");
