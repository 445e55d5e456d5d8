// Asks the default chain of the AWS SDK for JavaScript v3 for credentials, and prints which provider gave them.
// Runs where an application would, with nothing but the environment; providers as `credprobe chain` names them.
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

// As the SDK marks them for its User-Agent (@aws-sdk/types, feature ids), most telling first.
const PROVIDERS = {
  CREDENTIALS_PROFILE_PROCESS: "profile-process",
  CREDENTIALS_PROCESS: "profile-process",
  CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN: "profile-web-identity",
  CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN: "web-identity",
  CREDENTIALS_HTTP: "container",
  CREDENTIALS_IMDS: "imds",
  CREDENTIALS_PROFILE: "profile-keys",
  CREDENTIALS_ENV_VARS: "keys",
};

let answer;
try {
  const { $source: source = {} } = await fromNodeProviderChain()();
  answer = { provider: Object.keys(PROVIDERS).find((mark) => mark in source && PROVIDERS[mark]) };
  answer.provider = PROVIDERS[answer.provider] ?? `unknown: ${Object.keys(source)}`;
} catch (error) {
  answer = { error: `${error.name}: ${error.message}` };
}
console.log(JSON.stringify(answer));
