// Asks the default chain of the AWS SDK for JavaScript v2 for credentials, and prints the key that came back.
// Runs where an application would, with nothing but the environment.
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const AWS = require("aws-sdk");

AWS.config.getCredentials((error) => {
  console.log(JSON.stringify(error ? { error: `${error.name}: ${error.message}` } : { key: AWS.config.credentials.accessKeyId }));
});
