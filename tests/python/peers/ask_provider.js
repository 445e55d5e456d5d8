// Asks the JavaScript SDK v3's default chain for credentials, and prints {"key": …} or {"error": …}.
// The key tells the provider: each of chain.py's has its own.
const { defaultProvider } = require("@aws-sdk/credential-provider-node");

defaultProvider()().then(
  (credentials) => console.log(JSON.stringify({ key: credentials.accessKeyId })),
  (error) => console.log(JSON.stringify({ error: `${error.name}: ${error.message}` })),
);
