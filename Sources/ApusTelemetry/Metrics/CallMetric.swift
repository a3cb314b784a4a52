// SPDX-License-Identifier: Apache-2.0

/// The metrics of calls, with the names of gRFC A66, A94 and A96; those of Apus alone begin with `apus`.
enum CallMetric {
    static let attemptsStarted = Metric(
        "grpc.client.attempt.started", .counter, .count("attempt"), "Tries of calls that were started.")
    static let attemptDuration = Metric(
        "grpc.client.attempt.duration", .latency, .seconds, "The time of a try, from the pick of its endpoint on.")
    static let attemptSent = Metric(
        "grpc.client.attempt.sent_total_compressed_message_size", .size, .bytes,
        "Bytes of a try's request messages as they were sent, without framing.")
    static let attemptReceived = Metric(
        "grpc.client.attempt.rcvd_total_compressed_message_size", .size, .bytes,
        "Bytes of a try's response messages as they arrived, without framing.")
    static let clientDuration = Metric(
        "grpc.client.call.duration", .latency, .seconds, "The time of a call with all of its tries.")

    static let retries = Metric(
        "grpc.client.call.retries", .tries, .count("retry"), "Retries of a call that was retried.")
    static let transparentRetries = Metric(
        "grpc.client.call.transparent_retries", .transparentTries, .count("transparent_retry"),
        "Retries that no policy counts, of a call that had some.")
    static let hedges = Metric(
        "grpc.client.call.hedges", .tries, .count("hedge"), "Further copies of a call that was hedged.")
    static let retryDelay = Metric(
        "grpc.client.call.retry_delay", .latency, .seconds,
        "The time without a try on its way, of a call that was tried more than once.")

    static let callsStarted = Metric(
        "grpc.server.call.started", .counter, .count("call"), "Calls that were started or refused.")
    static let serverDuration = Metric(
        "grpc.server.call.duration", .latency, .seconds, "The time of a call from its headers to its handler's end.")
    static let serverSent = Metric(
        "grpc.server.call.sent_total_compressed_message_size", .size, .bytes,
        "Bytes of a call's response messages as they were sent, without framing.")
    static let serverReceived = Metric(
        "grpc.server.call.rcvd_total_compressed_message_size", .size, .bytes,
        "Bytes of a call's request messages as they arrived, without framing.")

    static let openConnections = Metric(
        "grpc.subchannel.open_connections", .gauge, .count("connection"), "Ways to endpoints that are connected.")
    static let connected = Metric(
        "grpc.subchannel.connection_attempts_succeeded", .counter, .count("attempt"), "Connections that were made.")
    static let connectFailed = Metric(
        "grpc.subchannel.connection_attempts_failed", .counter, .count("attempt"), "Connections that were not had.")
    static let disconnected = Metric(
        "grpc.subchannel.disconnections", .counter, .count("disconnection"),
        "Ways to endpoints whose last connection went.")

    static let picks = Metric("apus.client.picks", .counter, .count("pick"), "Tries that were given to an endpoint.")
    static let waits = Metric(
        "apus.client.waits", .counter, .count("wait"), "Tries that waited for a connection or for a stream on one.")
    static let resolutions = Metric(
        "apus.client.resolutions", .counter, .count("resolution"), "New lists of a target's endpoints.")
    static let endpoints = Metric(
        "apus.client.endpoints", .gauge, .count("endpoint"), "Endpoints in the last lists of a target's channels.")
    static let breaker = Metric(
        "apus.client.breaker.state", .gauge, .count("breaker"),
        "Circuit breakers that have opened, by the state that they are in.")
    static let breakerChanges = Metric(
        "apus.client.breaker.changes", .counter, .count("change"), "Changes of circuit breakers to a state.")
    static let ejections = Metric(
        "apus.client.outlier.ejections", .counter, .count("ejection"), "Endpoints that were kept out for a while.")
    static let ejected = Metric(
        "apus.client.outlier.ejected", .gauge, .count("endpoint"), "Channels that keep the endpoint out.")
    static let unhealthy = Metric(
        "apus.client.health.unhealthy", .gauge, .count("endpoint"),
        "Health checks that say that the endpoint does not serve.")
    static let configurations = Metric(
        "apus.client.configurations", .counter, .count("document"), "Configuration documents by what became of them.")
    static let guards = Metric(
        "apus.server.guard.events", .counter, .count("event"),
        "What a server did to protect itself: connections refused or closed, streams ended.")
}
