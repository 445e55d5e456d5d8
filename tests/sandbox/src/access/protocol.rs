//! Each service's own protocol: what a request asks for, what it would do, and the form of answers and denials.
//! The forms follow the services' API references; `policy` writes the sentence of a denial.

use serde_json::json;

use super::{Asked, Granted, Service, policy::Denial, region_of, value};
use crate::{
    sts::{Answer, Delivery, Parameters, Refusal, Request},
    world::World,
};

/// Reads a request, whatever credentials signed it.
pub(super) fn read(world: &World, service: &Service, request: &Request<'_>) -> Result<Asked, Refusal> {
    match service.name {
        "s3" => Ok(bucket(world, service, request)),
        "ec2" => Ok(instances(&request.parameters())),
        "lambda" => function(world, request),
        _ => target(world, service, request),
    }
}

fn bucket(world: &World, service: &Service, request: &Request<'_>) -> Asked {
    let parameters = request.parameters();
    let (bucket, key) = request.path[1..].split_once('/').unwrap_or((&request.path[1..], ""));
    let reads = request.method == "GET" && key.is_empty();
    let resource = format!("arn:aws:s3:::{bucket}{}{key}", if key.is_empty() { "" } else { "/" });
    let keys = parameters.get("max-keys").map_or("1000", String::as_str);
    let harm = match (reads, keys) {
        (true, "0") => None,
        (true, keys) => Some(format!("up to {keys} keys were read")),
        (false, _) => Some(format!("{} of {}", request.method, request.path)),
    };
    let region = region_of(world, &resource).filter(|region| *region != service.region);
    let granted = match (region, is_there(world, &resource)) {
        (Some(region), _) => Granted::Elsewhere(region),
        (None, false) => Granted::Refused(404, "NoSuchBucket", "The specified bucket does not exist".into()),
        (None, true) => Granted::Body(
            200,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Name>{bucket}</Name><KeyCount>0</KeyCount><MaxKeys>{keys}</MaxKeys></ListBucketResult>"
            ),
        ),
    };
    let action = if reads { "s3:ListBucket" } else { "s3:Other" };
    Asked { action: action.into(), resource, harm, granted }
}

fn instances(parameters: &Parameters) -> Asked {
    let action = parameters.get("Action").map_or("", String::as_str);
    let dry = parameters.get("DryRun").is_some_and(|dry| dry == "true");
    let granted = if dry {
        let text = "Request would have succeeded, but DryRun flag is set.";
        Granted::Refused(412, "DryRunOperation", text.into())
    } else {
        Granted::Body(200, format!("<{action}Response/>"))
    };
    let harm = (!dry).then(|| format!("{action} was done"));
    Asked { action: format!("ec2:{action}"), resource: "*".into(), harm, granted }
}

fn function(world: &World, request: &Request<'_>) -> Result<Asked, Refusal> {
    let name = request
        .path
        .strip_prefix("/2015-03-31/functions/")
        .and_then(|rest| rest.strip_suffix("/invocations"));
    let name = name.ok_or_else(|| Refusal::new(404, "UnknownOperationException", ""))?;
    let resource = name.replace("%3A", ":");
    let kind = request.headers.get("x-amz-invocation-type").and_then(|kind| kind.to_str().ok());
    let dry = kind == Some("DryRun");
    let granted = if !is_there(world, &resource) {
        Granted::Refused(404, "ResourceNotFoundException", format!("Function not found: {resource}"))
    } else {
        Granted::Body(if dry { 204 } else { 200 }, String::new())
    };
    let harm = (!dry).then(|| format!("{resource} was run"));
    Ok(Asked { action: "lambda:InvokeFunction".into(), resource, harm, granted })
}

/// Reads a request of the JSON protocols, which name the operation in a header.
fn target(world: &World, service: &Service, request: &Request<'_>) -> Result<Asked, Refusal> {
    let target =
        request.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.split_once('.').map_or("", |(_, operation)| operation);
    let body = value(request.body);
    let text = |name: &str| body.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let resource = match (service.name, operation) {
        ("sqs", "GetQueueAttributes") => {
            let url = text("QueueUrl");
            let mut parts = url.rsplit('/');
            let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            format!("arn:aws:sqs:{}:{account}:{name}", service.region)
        }
        ("sqs", "GetQueueUrl") => {
            format!("arn:aws:sqs:{}:{}:{}", service.region, text("QueueOwnerAWSAccountId"), text("QueueName"))
        }
        ("dynamodb", "DescribeTable") => text("TableName"),
        ("kms", "Decrypt" | "Encrypt" | "GenerateDataKey") => text("KeyId"),
        _ => return Err(Refusal::new(400, "UnknownOperationException", "")),
    };
    let dry = body.get("DryRun") == Some(&json!(true));
    let harm = (service.name == "kms" && !dry).then(|| format!("{operation} was done"));
    let missing = match service.name {
        "sqs" => "QueueDoesNotExist",
        "dynamodb" => "ResourceNotFoundException",
        _ => "NotFoundException",
    };
    let granted = if !is_there(world, &resource) {
        Granted::Refused(400, missing, format!("{resource} does not exist."))
    } else if service.name == "kms" && dry {
        let text = "The request would have succeeded, but the DryRun option is set.";
        Granted::Refused(400, "DryRunOperationException", text.into())
    } else {
        let output = match operation {
            "GetQueueAttributes" => json!({"Attributes": {"QueueArn": resource}}),
            "GetQueueUrl" => json!({"QueueUrl": format!("https://sqs.{}.amazonaws.com/", service.region)}),
            _ => json!({"Table": {"TableArn": resource}}),
        };
        Granted::Body(200, output.to_string())
    };
    Ok(Asked { action: format!("{}:{operation}", service.name), resource, harm, granted })
}

/// A resource exists unless the scenario says that it is `missing`.
fn is_there(world: &World, resource: &str) -> bool {
    world.scenario.resources.get(resource).is_none_or(|resource| !resource.missing)
}

/// AWS's sentence about a denial, in the form that the service uses.
pub(super) fn denied(service: &Service, caller: &str, asked: &Asked, denial: &Denial) -> Refusal {
    let (status, code) = match service.name {
        "s3" => (403, "AccessDenied"),
        "ec2" => (403, "UnauthorizedOperation"),
        "lambda" => (403, "AccessDeniedException"),
        _ => (400, "AccessDeniedException"),
    };
    let Denial::Told(reason) = denial else {
        // Without a reason S3 says two words; the others leave the reason out of their sentence.
        let text = match service.name {
            "s3" => "Access Denied".to_owned(),
            _ => sentence(caller, asked, ""),
        };
        return Refusal::new(status, code, text);
    };
    let mut text = sentence(caller, asked, reason);
    match service.name {
        // SQS writes the action in lower case.
        "sqs" => text = text.replace(&asked.action, &asked.action.to_lowercase()),
        "s3" => text = text.replace(&asked.resource, &format!("\"{}\"", asked.resource)),
        "ec2" => {
            text = format!(
                "You are not authorized to perform this operation. {text}. Encoded authorization failure message: c2FuZGJveA"
            );
        }
        _ => {}
    }
    Refusal::new(status, code, text)
}

fn sentence(caller: &str, asked: &Asked, reason: &str) -> String {
    let resource =
        if asked.resource == "*" { String::new() } else { format!(" on resource: {}", asked.resource) };
    let text = format!("User: {caller} is not authorized to perform: {}{resource} {reason}", asked.action);
    text.trim_end().to_owned()
}

pub(super) fn granted(service: &Service, id: String, granted: Granted) -> Answer {
    match granted {
        Granted::Body(status, body) => {
            Answer { status, headers: headers(service, id), body, delivery: Delivery::Whole }
        }
        Granted::Refused(status, code, text) => refused(service, id, &Refusal::new(status, code, text)),
        Granted::Elsewhere(region) => {
            let text = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                        Please send all future requests to this endpoint.";
            let mut answer = refused(service, id, &Refusal::new(301, "PermanentRedirect", text));
            answer.headers.push(("x-amz-bucket-region".into(), region));
            answer
        }
    }
}

pub(super) fn refused(service: &Service, id: String, refusal: &Refusal) -> Answer {
    let Refusal { status, code, message } = refusal;
    let text = message.replace('&', "&amp;").replace('<', "&lt;");
    let body = match service.name {
        "s3" => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{text}</Message><RequestId>{id}</RequestId></Error>"
        ),
        "ec2" => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors><RequestID>{id}</RequestID></Response>"
        ),
        "lambda" => json!({"Message": message}).to_string(),
        _ => json!({"__type": format!("com.amazon.coral.service#{code}"), "message": message}).to_string(),
    };
    let mut headers = headers(service, id);
    match (service.name, code.as_str()) {
        ("lambda", _) => headers.push(("x-amzn-errortype".into(), code.clone())),
        // For clients that know the codes of SQS's older protocol.
        ("sqs", "QueueDoesNotExist") => {
            headers
                .push(("x-amzn-query-error".into(), "AWS.SimpleQueueService.NonExistentQueue;Sender".into()));
        }
        _ => {}
    }
    Answer { status: *status, headers, body, delivery: Delivery::Whole }
}

fn headers(service: &Service, id: String) -> Vec<(String, String)> {
    let (name, kind) = match service.name {
        "s3" => ("x-amz-request-id", "application/xml"),
        "ec2" => ("x-amzn-requestid", "text/xml;charset=UTF-8"),
        "kms" => ("x-amzn-requestid", "application/x-amz-json-1.1"),
        "lambda" => ("x-amzn-requestid", "application/json"),
        _ => ("x-amzn-requestid", "application/x-amz-json-1.0"),
    };
    vec![(name.into(), id), ("content-type".into(), kind.into())]
}
