// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Listening sockets that the process was started with. Source: sd_listen_fds(3).
enum InheritedSockets {
    /// What the environment says about one descriptor.
    struct Entry: Equatable, Sendable {
        let descriptor: Int32
        let name: String
    }

    // SD_LISTEN_FDS_START
    private static let first: Int32 = 3
    // More than any unit has; a number that somebody mistyped must not keep us counting.
    private static let maximum: Int32 = 1024
    // What systemd calls sockets without a name.
    private static let unnamed = "unknown"

    private static let taken = Mutex<Set<Int32>>([])

    /// The descriptors that an environment passes to the process with the given number.
    ///
    /// - Throws: FAILED_PRECONDITION when it passes none, or to another process, or contradicts itself.
    static func entries(
        _ environment: (String) -> String?, process: Int32
    ) throws(RPCError) -> [Entry] {
        guard let countText = environment("LISTEN_FDS") else { throw failure("LISTEN_FDS is not set") }
        guard let owner = environment("LISTEN_PID") else { throw failure("LISTEN_PID is not set") }
        guard owner == "\(process)" else {
            throw failure("LISTEN_PID says they are for process \(owner), and this is process \(process)")
        }
        guard let count = Int32(countText), (1...maximum).contains(count) else {
            throw failure("LISTEN_FDS is '\(countText)', which is no number from 1 to \(maximum)")
        }
        let names = environment("LISTEN_FDNAMES").map {
            $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
        guard names == nil || names?.count == Int(count) else {
            throw failure("LISTEN_FDNAMES has \(names?.count ?? 0) names for \(count) sockets")
        }
        return (0..<count).map { Entry(descriptor: first + $0, name: names?[Int($0)] ?? unnamed) }
    }

    /// Takes the sockets with a name, or all.
    ///
    /// - Throws: FAILED_PRECONDITION when there are none, when one was taken before, or when one is no listening
    ///   stream socket; then none is taken.
    static func take(_ name: String?) throws(RPCError) -> [ListeningSocket] {
        let all = try entries({ getenv($0).map { String(cString: $0) } }, process: getpid())
        let entries = all.filter { name == nil || $0.name == name }
        guard !entries.isEmpty else {
            let names = all.map(\.name).joined(separator: ", ")
            throw failure("none is named \(name ?? ""); there are: \(names)")
        }
        return try taken.withLock { (taken) throws(RPCError) in
            let sockets = try entries.map { (entry) throws(RPCError) in
                guard !taken.contains(entry.descriptor) else { throw failure("\(entry) was taken before") }
                return try adopt(entry)
            }
            taken.formUnion(entries.map(\.descriptor))
            return sockets
        }
    }

    private static func adopt(_ entry: Entry) throws(RPCError) -> ListeningSocket {
        let problem: String?
        do throws(SystemFailure) {
            problem = try self.problem(entry.descriptor)
        } catch {
            throw failure("\(entry) cannot be used: \(error.text)")
        }
        if let problem { throw failure("\(entry) \(problem)") }
        guard let name = SystemCalls.name(of: entry.descriptor), families.contains(name.family) else {
            throw failure("\(entry) is neither of TCP nor a Unix domain socket")
        }
        return ListeningSocket(descriptor: entry.descriptor, address: name.address, isKept: true)
    }

    private static let families = [AF_INET, AF_INET6, AF_UNIX]

    // What keeps a descriptor from being listened on; else it is made ready for that.
    private static func problem(_ descriptor: Int32) throws(SystemFailure) -> String? {
        guard try SystemCalls.option(descriptor, SOL_SOCKET, SO_TYPE) == SystemCalls.stream else {
            return "is no stream socket"
        }
        guard try SystemCalls.option(descriptor, SOL_SOCKET, SO_ACCEPTCONN) != 0 else { return "does not listen" }
        try SystemCalls.check(SystemCalls.keep(descriptor))
        return nil
    }

    private static func failure(_ reason: String) -> RPCError {
        RPCError(.failedPrecondition, "no inherited socket to listen on: \(reason)", progress: .notConnected)
    }
}

extension InheritedSockets.Entry: CustomStringConvertible {
    var description: String { "descriptor \(descriptor) (\(name))" }
}
