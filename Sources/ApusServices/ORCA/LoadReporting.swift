// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusInterceptors
import ApusProtobuf
import Synchronization

/// Sends with the end of each call what its handler and the server have recorded of their load, in the trailing metadata
/// `endpoint-load-metrics-bin`: what a ``WeightedRoundRobin`` of clients reads. Where both have recorded the same, the
/// call's stands, a zero included. Source: gRFC A51.
///
/// ```swift
/// let load = LoadRecorder()
/// let server = try Server([Users()], interceptors: [LoadReporting(of: load)])
/// ```
public struct LoadReporting: ServerInterceptor {
    private let server: LoadRecorder?

    /// Reports of calls.
    ///
    /// - Parameter server: what fills in where a call's handler records nothing; nil for nothing.
    public init(of server: LoadRecorder? = nil) { self.server = server }

    /// Handles the call with a ``LoadRecorder/current`` of its own. Nothing is sent when nothing was recorded.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        let recorder = LoadRecorder()
        let responder = ReportingResponder(call.responder)
        var reported = call
        reported.responder = responder
        do {
            let response = try await LoadRecorder.$current.binding(recorder) { try await next(reported) }
            responder.send(report(recorder))
            return response
        } catch {
            responder.send(report(recorder))
            throw error
        }
    }

    private func report(_ recorder: LoadRecorder) -> LoadReport {
        guard let server else { return recorder.report }
        return recorder.report.filled(from: server.report)
    }
}

/// Passes a response on and adds a report to its trailing metadata.
private final class ReportingResponder: ServerResponder {
    private let responder: any ServerResponder
    private let trailers = Mutex(Metadata())

    init(_ responder: any ServerResponder) { self.responder = responder }

    func send(_ report: LoadReport) {
        var trailers = trailers.withLock { $0 }
        // Of another one behind this, nearer to the handler. Clients expect one report, and some read no other.
        let inner = ORCAReports.perCall.report(in: trailers)
        let whole = inner?.filled(from: report) ?? report
        guard whole != LoadReport(), let bytes = ORCAReports.encode(whole) else { return }
        trailers[binary: ORCAReports.key] = bytes
        responder.setTrailers(trailers)
    }

    func setTrailers(_ metadata: Metadata) {
        trailers.withLock { $0 = metadata }
        responder.setTrailers(metadata)
    }

    func setInitialMetadata(_ metadata: Metadata) { responder.setInitialMetadata(metadata) }
    func sendInitialMetadata() { responder.sendInitialMetadata() }
    func compressResponses(with compression: Compression) -> Bool { responder.compressResponses(with: compression) }
    func write(_ message: MessageBytes) async throws(RPCError) { try await responder.write(message) }
    var record: CallRecord? { responder.record }
}
