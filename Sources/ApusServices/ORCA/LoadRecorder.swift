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
    public func update(_ change: (inout LoadReport) -> Void) { recorded.withLock { change(&$0) } }
}
