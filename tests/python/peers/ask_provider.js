// Asks the JavaScript SDK v3's default chain for credentials, and prints {"key": …} or {"error": …}.
// The key identifies the provider, because each provider of test_chains.py has its own.
const { defaultProvider } = require("@aws-sdk/credential-provider-node");

defaultProvider()().then(
  (credentials) => console.log(JSON.stringify({ key: credentials.accessKeyId })),
  (error) => console.log(JSON.stringify({ error: `${error.name}: ${error.message}` })),
);
