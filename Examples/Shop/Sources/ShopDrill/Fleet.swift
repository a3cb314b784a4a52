// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import Processes
import Processes
import Synchronization

/// The processes of the shop: starts them, waits until they serve, ends them in one way or the other.
final class Fleet: Sendable {
    private let folder: DrillFolder
    private let programs: URL
    private let lookup: RegistryView
    private let ledger: Ledger
    private let state = Mutex(State())

    private struct State {
        var processes: [Instance: ChildProcess] = [:]
        var isClosed = false
    }

    /// How long the registry keeps a process that died.
    static let lease = Duration.seconds(3)

    /// - Parameter programs: the folder of `shop-users` and `shop-orders`.
    init(folder: DrillFolder, programs: URL, lookup: RegistryView, ledger: Ledger) {
        self.folder = folder
        self.programs = programs
        self.lookup = lookup
        self.ledger = ledger
    }

    /// Starts an instance and waits until the registry has it.
    ///
    /// - Returns: where it serves.
    /// - Throws: ``DrillError`` with the last line of its log.
    func start(_ instance: Instance) async throws -> (address: Endpoint.Address, id: Int32) {
        ledger.set(instance, to: .starting)
        let process = try launch(instance)
        var found: Endpoint?
        try await wait(for: "\(instance.name) to serve") {
            guard process.isRunning else { throw early(instance) }
            found = lookup.endpoint(of: instance.service, process: process.id)
            return found != nil
        }
        ledger.set(instance, to: .serving)
        guard let found else { throw DrillError("\(instance.name) is not in the registry") }
        return (found.address, process.id)
    }

    // Under the lock: no process begins while, or after, all are ended.
    private func launch(_ instance: Instance) throws -> ChildProcess {
        let program = programs.appending(path: "shop-\(instance.service)").path()
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw DrillError("\(program) is missing: build the whole package, with 'swift build'")
        }
        let arguments = arguments(for: instance)
        return try state.withLock { state in
            if state.isClosed { throw DrillError("the drill is over") }
            let process = try ChildProcess(
                program: program, arguments: arguments, logPath: folder.log(of: instance))
            state.processes[instance] = process
            return process
        }
    }

    /// Ends an instance as a crash would, without a word to anybody.
    func kill(_ instance: Instance) async {
        guard let process = state.withLock({ $0.processes[instance] }) else { return }
        process.send(SIGKILL)
        ledger.set(instance, to: .killed)
        _ = await process.end()
    }

    /// Ends an instance as an operator would, and waits until it has left the registry and finished its calls.
    ///
    /// - Throws: ``DrillError`` when it does not end well.
    func stop(_ instance: Instance) async throws {
        guard let process = state.withLock({ $0.processes[instance] }) else { return }
        process.send(SIGTERM)
        ledger.set(instance, to: .stopped)
        try await wait(for: "\(instance.name) to stop") { !process.isRunning }
        let end = await process.end()
        guard end == .exited(0) else {
            throw DrillError("\(instance.name) did not stop well: \(end), \(folder.lastLine(of: instance))")
        }
        try await wait(for: "\(instance.name) to leave the registry") {
            lookup.endpoint(of: instance.service, process: process.id) == nil
        }
    }

    /// Ends whatever still runs, at once; nothing can be started any more.
    func killAll() {
        let processes = state.withLock { state in
            state.isClosed = true
            return state.processes.values
        }
        for process in processes { process.send(SIGKILL) }
    }

    private func arguments(for instance: Instance) -> [String] {
        let common = [
            "--registry", folder.registry, "--database", folder.database(of: instance.service),
            "--instance", instance.name, "--lease", "\(Self.lease / .seconds(1))", "--stop-with-input",
        ]
        // A quarter of the usual cost: some hundred registrations and logins share the machine with the rest.
        return instance.service == "users" ? common + ["--hash-cost", "4096"] : common
    }

    private func early(_ instance: Instance) -> DrillError {
        DrillError("\(instance.name) ended before it served: \(folder.lastLine(of: instance))")
    }
}
