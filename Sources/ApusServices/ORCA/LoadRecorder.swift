// SPDX-License-Identifier: Apache-2.0

public import ApusInterceptors
import Synchronization

/// A load report that is written while it is read: of a whole server, or of one call. Safe from any thread.
///
/// ```swift
/// let load = LoadRecorder()                       // the server's
/// load.update { $0.cpuUtilization = 0.4 }
/// LoadRecorder.current?.update { $0.requestCost["rows"] = 17 }   // in a handler: its call's
/// ```
///
/// Source: gRFC A51, *Recorder APIs*.
public final class LoadRecorder: Sendable {
    /// The recorder of the call that the current task handles; nil when its server has no ``LoadReporting``.
    @TaskLocal public static var current: LoadRecorder?

    private let recorded = Mutex(LoadReport())

    /// A recorder whose report says nothing yet.
    public init() {}

    /// What is recorded now.
    public var report: LoadReport { recorded.withLock { $0 } }

    /// Changes what is recorded, all at once for who reads it.
    ///
    /// A use or rate that is negative, infinite or no number, and a share of memory or of a named resource that is
    /// above 1, is not recorded: what stood there before stays.
    public func update(_ change: (inout LoadReport) -> Void) {
        recorded.withLock { report in
            let known = RecordedUse(report)
            change(&report)
            known.stand(in: &report)
        }
    }
}

/// What a report said of a server's use before it was changed. Not what calls cost, which may be any number.
private struct RecordedUse {
    private let cpu: Double?
    private let memory: Double?
    private let application: Double?
    private let requests: Double?
    private let errors: Double?
    private let named: [String: Double]

    init(_ report: LoadReport) {
        cpu = report.cpuUtilization
        memory = report.memoryUtilization
        application = report.applicationUtilization
        requests = report.requestsPerSecond
        errors = report.errorsPerSecond
        named = report.utilization
    }

    /// Puts back what was overwritten with something that cannot be.
    func stand(in report: inout LoadReport) {
        let shares = 0.0...1
        let uses = 0...Double.greatestFiniteMagnitude
        Self.restore(&report.cpuUtilization, cpu, unless: uses)
        Self.restore(&report.memoryUtilization, memory, unless: shares)
        Self.restore(&report.applicationUtilization, application, unless: uses)
        Self.restore(&report.requestsPerSecond, requests, unless: uses)
        Self.restore(&report.errorsPerSecond, errors, unless: uses)
        for (name, share) in report.utilization where !shares.contains(share) { report.utilization[name] = named[name] }
    }

    private static func restore(_ number: inout Double?, _ old: Double?, unless range: ClosedRange<Double>) {
        if let new = number, !range.contains(new) { number = old }
    }
}
