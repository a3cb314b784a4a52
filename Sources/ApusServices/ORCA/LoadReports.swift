// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// The service `xds.service.orca.v3.OpenRcaService`: tells clients that ask how loaded the server is, at once and then
/// again and again.
///
/// ```swift
/// let load = LoadRecorder()
/// let server = try Server([Users(), LoadReports(of: load)])
/// ```
///
/// One value is for the life of one server: once that is asked to stop, the reports end. Source: gRFC A51.
public final class LoadReports: Service {
    private let handler: LoadReportHandler

    /// The reports of a server.
    ///
    /// - Parameters:
    ///   - server: what is reported; without what calls cost.
    ///   - minimumInterval: the time between two reports when a client asks for less, or for nothing.
    public init(
        of server: LoadRecorder, minimumInterval: Duration = .seconds(30), clock: any MonotonicClock = SystemClock()
    ) {
        handler = LoadReportHandler(
            recorder: server, minimumInterval: max(.milliseconds(1), minimumInterval), clock: clock)
    }

    /// `StreamCoreMetrics`.
    public var routes: [Route] { handler.routes }

    /// The .proto file of the service.
    public var descriptor: ServiceDescriptor? { handler.descriptor }

    /// Ends the reports.
    public func serverWillStop() { handler.pauses.stop() }

    /// How many clients receive reports now.
    var streams: Int { handler.pauses.count }
}
