// SPDX-License-Identifier: Apache-2.0

import ApusCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Who started this process and wants to hear how it is: systemd, for a unit with `Type=notify`.
///
/// Source: sd_notify(3), sd_watchdog_enabled(3).
struct ServiceManager: Sendable {
    /// What it is told.
    enum Notice: String, Sendable {
        /// The server listens, and stands in its registry.
        case ready = "READY=1"
        /// The server lets its calls end.
        case stopping = "STOPPING=1"
        /// The server's loops turn.
        case alive = "WATCHDOG=1"
    }

    private let address: SocketAddress
    /// How often it has to hear that this process lives; nil when it does not ask for that.
    let watchdog: Duration?

    /// The service manager that an environment names to the process with the given number; nil when it names none that
    /// can be told anything.
    init?(_ environment: (String) -> String?, process: Int32) {
        guard let path = environment("NOTIFY_SOCKET"), let address = Self.address(path) else { return nil }
        self.address = address
        watchdog = Self.watchdog(environment, process)
    }

    /// The one that started this process; nil when none did.
    static var present: ServiceManager? {
        ServiceManager({ getenv($0).map { String(cString: $0) } }, process: getpid())
    }

    /// Tells it. Nobody waits for that, and a manager that is gone is no reason to stop serving.
    func tell(_ notice: Notice) {
        let socket = SystemCalls.makeDatagramSocket(address.family)
        guard socket >= 0 else { return }
        defer { SystemCalls.close(socket) }
        SystemCalls.send(Array(notice.rawValue.utf8), to: address, socket)
    }

    /// Reports, as often as it asks for, that these loops turn; nil when it does not ask.
    func liveness(of loops: [any EventLoop]) -> Liveness? {
        watchdog.map { Liveness(of: loops, interval: $0) { tell(.alive) } }
    }

    // A file, or a name in the abstract namespace behind an @.
    private static func address(_ path: String) -> SocketAddress? {
        switch path.first {
        case "/": SocketAddress(unixPath: path)
        case "@": SocketAddress(abstractName: String(path.dropFirst()))
        default: nil
        }
    }

    private static func watchdog(_ environment: (String) -> String?, _ process: Int32) -> Duration? {
        // Set for one process; its children inherit the variables and are not meant.
        if let owner = environment("WATCHDOG_PID"), owner != "\(process)" { return nil }
        let microseconds = environment("WATCHDOG_USEC").flatMap { Int64($0) } ?? 0
        return microseconds > 0 ? .microseconds(microseconds) : nil
    }
}
