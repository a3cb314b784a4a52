// SPDX-License-Identifier: Apache-2.0

import Apus
import DrillProtos
import Foundation
import Processes
import Synchronization

/// The processes of the drill, and what is done to them.
final class Workers: Sendable {
    static let service = "work"

    private struct State {
        var processes: [String: ChildProcess] = [:]
        var isClosed = false
    }

    let registry: DirectoryRegistry
    private let view: RegistryView
    private let program: String
    private let folder: URL
    private let state = Mutex(State())

    /// - Throws: when the program is missing or no folder can be made.
    init(program: String) throws {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw DrillError("\(program) is missing: build the whole package, with 'swift build'")
        }
        self.program = program
        folder = FileManager.default.temporaryDirectory.appending(path: "apus-drill-\(UUID().uuidString.prefix(8))")
        let registryFolder = folder.appending(path: "registry")
        try FileManager.default.createDirectory(at: registryFolder, withIntermediateDirectories: true)
        registry = DirectoryRegistry(path: registryFolder.path(), lease: .seconds(3))
        view = RegistryView(registry, services: [Self.service])
    }

    /// Starts an instance and waits until the registry has it.
    func start(_ name: String, version: String = "1") async throws {
        let process = try launch(name, ["--version", version])
        try await wait(for: "\(name) to serve") {
            guard process.isRunning else { throw failure(of: name, "ended before it served") }
            return view.endpoint(of: Self.service, process: process.id) != nil
        }
    }

    /// Starts an instance that will never be ready, waits for it, and ends it when the patience is over.
    ///
    /// - Returns: why it was given up; nil when it was ready after all.
    func startInVain(_ name: String, patience: Duration) async throws -> String? {
        let process = try launch(name, ["--version", "unready", "--unready"])
        defer { process.send(SIGKILL) }
        do {
            try await wait(for: "\(name) to serve", patience: patience) {
                guard process.isRunning else { throw failure(of: name, "ended before it served") }
                return view.endpoint(of: Self.service, process: process.id) != nil
            }
            return nil
        } catch let error as DrillError {
            return error.description
        }
    }

    /// The versions that are in the registry, each once.
    var versions: Set<String> { Set(view.endpoints(of: Self.service).compactMap { $0.metadata["version"] }) }

    private func launch(_ name: String, _ arguments: [String]) throws -> ChildProcess {
        try state.withLock { state in
            if state.isClosed { throw DrillError("the drill is over") }
            let process = try ChildProcess(
                program: program, arguments: ["--registry", registryPath, "--instance", name] + arguments,
                logPath: log(of: name))
            state.processes[name] = process
            return process
        }
    }

    /// Sends an instance a signal; what it does then is its own affair.
    func send(_ signal: Int32, to name: String) { process(name)?.send(signal) }

    /// Ends an instance as an operator would: it leaves the registry, finishes its calls and goes.
    func stop(_ name: String) async throws {
        guard let process = process(name) else { return }
        process.send(SIGTERM)
        try await wait(for: "\(name) to stop") { !process.isRunning }
        let end = await process.end()
        guard end == .exited(0) else { throw failure(of: name, "did not stop well, but \(end)") }
        state.withLock { $0.processes[name] = nil }
    }

    /// Makes an instance ill, or well again with an empty ailment.
    func ail(_ name: String, _ ailment: Ailment) async throws {
        guard let id = process(name)?.id, let endpoint = view.endpoint(of: Self.service, process: id) else {
            throw DrillError("\(name) is not in the registry")
        }
        let channel = Channel(to: endpoint.address)
        defer { channel.close() }
        _ = try await Worker.Client(channel).ail(ailment)
    }

    /// Takes the registry away, or gives it back as it was. A file stands in its place meanwhile, so that nobody can
    /// make the folder anew.
    func setRegistry(isThere: Bool) throws {
        let away = folder.appending(path: "registry.away").path()
        if isThere {
            try FileManager.default.removeItem(atPath: registryPath)
            try FileManager.default.moveItem(atPath: away, toPath: registryPath)
        } else {
            try FileManager.default.moveItem(atPath: registryPath, toPath: away)
            try Data().write(to: URL(filePath: registryPath))
        }
    }

    /// Waits until all of these are in the registry.
    func settle(_ names: [String]) async throws {
        try await wait(for: "the registry to have \(names.count) instances") {
            let present = view.endpoints(of: Self.service).compactMap { $0.metadata["instance"] }
            return Set(present) == Set(names)
        }
    }

    /// Ends whatever still runs, at once, and removes what the drill wrote.
    func killAll() async {
        let processes = state.withLock { state in
            state.isClosed = true
            return state.processes.values
        }
        for process in processes { process.send(SIGKILL) }
        // Else it would say that its folder is gone.
        await registry.close()
        try? FileManager.default.removeItem(at: folder)
    }

    private var registryPath: String { folder.appending(path: "registry").path() }

    private func process(_ name: String) -> ChildProcess? { state.withLock { $0.processes[name] } }

    private func failure(of name: String, _ what: String) -> DrillError {
        DrillError("\(name) \(what): \(lastLine(ofLog: log(of: name)))")
    }

    private func log(of name: String) -> String { folder.appending(path: "\(name).log").path() }
}
