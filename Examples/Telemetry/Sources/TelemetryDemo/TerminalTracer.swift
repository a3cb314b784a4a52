// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import Tracing

/// A tracer that gives each span that has ended to a closure, and sends W3C's headers along: enough to see what a real
/// one would send to a collector.
public struct TerminalTracer: Tracer {
    private let finished: @Sendable (FinishedSpan) -> Void
    private let isRecording: Bool

    /// - Parameters:
    ///   - isRecording: false for a tracer whose sampler takes nothing: contexts still travel.
    ///   - finished: what becomes of a span that has ended.
    public init(isRecording: Bool = true, _ finished: @escaping @Sendable (FinishedSpan) -> Void) {
        self.isRecording = isRecording
        self.finished = finished
    }

    /// Starts a span in the trace of `context`, or in a new one.
    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> TerminalSpan {
        var context = context()
        let parent = context.position
        let position = TracePosition(
            traceID: parent?.traceID ?? TracePosition.random(32), spanID: TracePosition.random(16),
            state: parent?.state)
        context.position = position
        let started = FinishedSpan(
            name: operationName, kind: kind, traceID: position.traceID, spanID: position.spanID,
            parentID: parent?.spanID)
        return TerminalSpan(started, context, isRecording: isRecording, finished)
    }

    /// Does nothing: spans are given away when they end.
    public func forceFlush() {}

    /// Writes W3C's headers.
    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let position = context.position else { return }
        let flags = isRecording ? "01" : "00"
        injector.inject("00-\(position.traceID)-\(position.spanID)-\(flags)", forKey: "traceparent", into: &carrier)
        if let state = position.state { injector.inject(state, forKey: "tracestate", into: &carrier) }
    }

    /// Reads W3C's headers.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        let parts = extractor.extract(key: "traceparent", from: carrier)?.split(separator: "-") ?? []
        guard parts.count >= 4 else { return }
        context.position = TracePosition(
            traceID: String(parts[1]), spanID: String(parts[2]),
            state: extractor.extract(key: "tracestate", from: carrier))
    }
}

/// Where a span stands in its trace.
public struct TracePosition: Sendable {
    /// The trace: 32 hexadecimal digits.
    public let traceID: String
    /// The span: 16 hexadecimal digits.
    public let spanID: String
    /// What tracers on the way have added.
    public let state: String?

    /// A position that came from somewhere else.
    public init(traceID: String, spanID: String, state: String? = nil) {
        self.traceID = traceID
        self.spanID = spanID
        self.state = state
    }

    static func random(_ digits: Int) -> String {
        String((0..<digits).map { _ in "123456789abcdef".randomElement() ?? "1" })
    }
}

private enum TracePositionKey: ServiceContextKey {
    typealias Value = TracePosition
}

extension ServiceContext {
    /// The span that is current, as a tracer of this kind knows it.
    public var position: TracePosition? {
        get { self[TracePositionKey.self] }
        set { self[TracePositionKey.self] = newValue }
    }
}

/// What is left of a span that has ended.
public struct FinishedSpan: Sendable {
    /// Its name.
    public var name: String
    /// What it is for.
    public let kind: SpanKind
    /// Its trace.
    public let traceID: String
    /// Its own number.
    public let spanID: String
    /// The number of the span that it is part of; nil for the first.
    public let parentID: String?
    /// What is known of it.
    public var attributes = SpanAttributes()
    /// What happened meanwhile, in order.
    public var events: [SpanEvent] = []
    /// How it ended.
    public var status: SpanStatus?
    /// Whether an error was recorded.
    public var hasError = false
}

/// A span.
public final class TerminalSpan: Span {
    private let state: Mutex<FinishedSpan?>
    private let finished: @Sendable (FinishedSpan) -> Void
    /// What is current within the span.
    public let context: ServiceContext
    /// Whether its events and attributes are kept.
    public let isRecording: Bool

    init(
        _ started: FinishedSpan, _ context: ServiceContext, isRecording: Bool,
        _ finished: @escaping @Sendable (FinishedSpan) -> Void
    ) {
        state = Mutex(started)
        self.context = context
        self.isRecording = isRecording
        self.finished = finished
    }

    /// Its name.
    public var operationName: String {
        get { state.withLock { $0?.name ?? "" } }
        set { state.withLock { $0?.name = newValue } }
    }

    /// What is known of it.
    public var attributes: SpanAttributes {
        get { state.withLock { $0?.attributes ?? [:] } }
        set { state.withLock { $0?.attributes = newValue } }
    }

    /// Sets how it ended.
    public func setStatus(_ status: SpanStatus) { state.withLock { $0?.status = status } }
    /// Notes what happened.
    public func addEvent(_ event: SpanEvent) { state.withLock { $0?.events.append(event) } }
    /// Links are not kept.
    public func addLink(_ link: SpanLink) {}

    /// Notes that there was an error.
    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        state.withLock { $0?.hasError = true }
    }

    /// Gives the span away, once.
    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard let span = state.withLock({ $0.take() }), isRecording else { return }
        finished(span)
    }
}
