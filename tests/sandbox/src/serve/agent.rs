//! The agent's sockets: plain HTTP at its two addresses, or a silent server there.
//! `agent` answers the requests.

use std::{io, sync::Arc};

use hyper::{Response, body::Incoming, header, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::{BODY_LIMIT, Body, PATIENCE, finish, hostile};
use crate::{
    agent,
    scenario::{agent::Agent, hostile::Peer},
    world::World,
};

pub(crate) async fn agent(listener: TcpListener, world: Arc<World>, agent: Arc<Agent>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Avoids the delayed ACK, as in `https`.
        let _ = stream.set_nodelay(true);
        {
            let mut record = world.record.edit();
            record.agent_connections = Some(record.agent_connections.unwrap_or_default() + 1);
        }
        tokio::spawn(connection(stream, Arc::clone(&world), Arc::clone(&agent)));
    }
}

async fn connection(stream: TcpStream, world: Arc<World>, agent: Arc<Agent>) {
    if agent.silent {
        return tokio::time::sleep(PATIENCE).await;
    }
    if let Some(misdeed) = world.scenario.misdeed(Peer::Agent) {
        let Some(stream) = hostile::below(misdeed, stream).await else { return };
        let sound = |request: &hostile::Request| {
            let hostile::Request { method, path, headers, .. } = request;
            let answer = agent::handle(&world, &agent, &agent::Request { method, path, headers });
            hostile::whole(answer.status, &format!("Content-Type: {}\r\n", answer.content_type), &answer.body)
        };
        if let Some(hostile) = &world.scenario.hostile {
            hostile::answers(hostile, stream, sound).await;
        }
        return;
    }
    let service = service_fn(move |request| {
        let answer = respond(&world, &agent, &request);
        async move { answer }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(BODY_LIMIT);
    // A mishap of the client is not a failure of the server.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

fn respond(world: &World, agent: &Agent, request: &hyper::Request<Incoming>) -> io::Result<Response<Body>> {
    let request = agent::Request {
        method: request.method().as_str(),
        path: request.uri().path(),
        headers: request.headers(),
    };
    let answer = agent::handle(world, agent, &request);
    let mut builder =
        Response::builder().status(answer.status).header(header::CONTENT_TYPE, answer.content_type);
    if answer.content_type == agent::TEXT {
        builder = builder.header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    }
    finish(builder, answer.body)
}
