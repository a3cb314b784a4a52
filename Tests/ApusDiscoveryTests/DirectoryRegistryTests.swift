// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusTestSupport
import Foundation
import Synchronization
import Testing

@Suite(.serialized, .timeLimit(.minutes(10)))
struct DirectoryRegistryTests {
    let folder: TemporaryFolder
    private let a: Member
    private let b: Member

    init() throws {
        folder = try TemporaryFolder()
        a = Member(folder.path)
        b = Member(folder.path)
    }

    private func close() async {
        await a.registry.close()
        await b.registry.close()
    }

    // A lapse of time for both, in steps in which heartbeats come through.
    private func bothAdvance(by seconds: Int) async {
        for _ in 0..<seconds {
            await a.advance(by: .seconds(1))
            await b.advance(by: .seconds(1))
        }
    }

    @Test func `what one process registers another sees, without looking for it`() async throws {
        let (watch, updates) = b.watch()
        await updates.wait(forPorts: [])
        let first = try await a.register(1)
        await updates.wait(forPorts: [1])
        let second = try await a.register(2)
        await updates.wait(forPorts: [1, 2])
        await first.leave()
        await updates.wait(forPorts: [2])
        await second.leave()
        await updates.wait(forPorts: [])
        watch.cancel()
        await close()
    }

    @Test func `a watch hears at once what was registered before`() async throws {
        _ = try await a.register(1)
        let (watch, updates) = b.watch()
        await updates.wait(forPorts: [1])
        #expect(updates.count == 1)
        watch.cancel()
        await close()
    }

    @Test func `an entry carries everything that the instance says`() async throws {
        let endpoint = Endpoint(host: "::1", port: 9, metadata: ["pid": "7", "ü\"": "\n😀"], weight: 0.5)
        let instance = ServiceInstance(service: "x/../y", id: "../../z", endpoint: endpoint)
        _ = try await a.registry.register(instance)
        let (watch, updates) = b.watch("x/../y")
        await updates.wait { (try? $0.get())?.isEmpty == false }
        #expect(updates.last == .success([instance.place]) && instance.place.instance == "../../z")
        #expect(folder.names() == ["x%2F..%2Fy"])
        #expect(folder.names(in: "x%2F..%2Fy") == ["%2E.%2F..%2Fz.json"])
        watch.cancel()
        await close()
    }

    @Test func `a heartbeat keeps the entry alive and wakes nobody`() async throws {
        let (watch, updates) = b.watch()
        _ = try await a.register(1)
        await updates.wait(forPorts: [1])
        let heard = updates.count
        await bothAdvance(by: 100)
        #expect(updates.count == heard)
        #expect(updates.ports == [1])
        #expect(folder.names(in: "users") == ["i1.json"])
        watch.cancel()
        await close()
    }

    @Test func `the entry of a process that was killed expires without any event`() async throws {
        let (watch, updates) = b.watch()
        _ = try await a.register(1)
        await updates.wait(forPorts: [1])
        await b.advance(by: .milliseconds(9999))
        #expect(updates.ports == [1])
        await b.advance(by: .milliseconds(1))
        #expect(updates.ports == [])
        #expect(folder.names(in: "users") == ["i1.json"])
        watch.cancel()
        await close()
    }

    @Test func `an entry that an operator marked as draining is left out until the mark is gone, whoever renews it`()
        async throws
    {
        let (watch, updates) = b.watch()
        _ = try await a.register(1)
        _ = try await a.register(2)
        await updates.wait(forPorts: [1, 2])
        let path = "\(folder.path)/users/i1.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacing("{", with: "{\"draining\": true,", maxReplacements: 1)
            .write(toFile: path, atomically: true, encoding: .utf8)
        await updates.wait(forPorts: [2])
        await bothAdvance(by: 20)
        #expect(updates.ports == [2])
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        await updates.wait(forPorts: [1, 2])
        #expect(b.problems.all.isEmpty)
        watch.cancel()
        await close()
    }

    @Test func `one of two expires, and the other stays`() async throws {
        let (watch, updates) = b.watch()
        _ = try await a.register(1)
        _ = try await b.register(2)
        await updates.wait(forPorts: [1, 2])
        for _ in 0..<15 { await b.advance(by: .seconds(1)) }
        #expect(updates.ports == [2])
        watch.cancel()
        await close()
    }

    @Test func `a writer of the same service sweeps what expired long ago`() async throws {
        _ = try await a.register(1)
        _ = try await b.register(2)
        for _ in 0..<45 { await b.advance(by: .seconds(1)) }
        #expect(folder.names(in: "users") == ["i1.json", "i2.json"])
        for _ in 0..<20 { await b.advance(by: .seconds(1)) }
        #expect(folder.names(in: "users") == ["i2.json"])
        await close()
    }

    @Test func `an owner whose entry was swept while it was suspended registers again`() async throws {
        let (watch, updates) = b.watch()
        _ = try await a.register(1)
        _ = try await b.register(2)
        for _ in 0..<70 { await b.advance(by: .seconds(1)) }
        await updates.wait(forPorts: [2])
        #expect(folder.names(in: "users") == ["i2.json"])
        await a.advance(by: .seconds(70))
        await updates.wait(forPorts: [1, 2])
        watch.cancel()
        await close()
    }

    @Test func `an owner whose entry has expired but was not swept wakes its readers again`() async throws {
        let (watch, updates) = b.watch()
        _ = try await a.register(1)
        await updates.wait(forPorts: [1])
        for _ in 0..<20 { await b.advance(by: .seconds(1)) }
        #expect(updates.ports == [])
        await a.advance(by: .seconds(20))
        await updates.wait(forPorts: [1])
        watch.cancel()
        await close()
    }

    @Test func `garbage is skipped with one line each, and the others are seen`() async throws {
        _ = try await a.register(1)
        try folder.write("this is no JSON", to: "users/bad.json")
        try folder.write("", to: "users/empty.json")
        try folder.write(
            #"{"service":"orders","id":"other","address":"h:1","leaseMilliseconds":1000}"#, to: "users/other.json")
        try folder.write(
            #"{"service":"users","id":"else","address":"h:1","leaseMilliseconds":1000}"#, to: "users/name.json")
        try folder.write(String(repeating: "[", count: 70_000), to: "users/huge.json")
        try folder.write("notes", to: "users/README.txt")
        let (watch, updates) = b.watch()
        await updates.wait(forPorts: [1])
        for _ in 0..<3 { await bothAdvance(by: 5) }
        #expect(updates.ports == [1])
        #expect(b.problems.all.count == 5)
        for name in ["bad", "empty", "other", "name", "huge"] {
            #expect(b.problems.all.contains { $0.contains("/\(name).json is skipped: it") })
        }
        #expect(b.problems.all.allSatisfy { !$0.contains("\n") })
        watch.cancel()
        await close()
    }

    @Test func `folders, links and unreadable things in place of entries are skipped`() async throws {
        _ = try await a.register(1)
        let other = try TemporaryFolder()
        try other.write("{}", to: "target")
        #expect(symlink("\(other.path)/target", "\(folder.path)/users/link.json") == 0)
        #expect(mkdir("\(folder.path)/users/folder.json", 0o755) == 0)
        #expect(mkfifo("\(folder.path)/users/pipe.json", 0o644) == 0)
        let (watch, updates) = b.watch()
        await updates.wait(forPorts: [1])
        #expect(b.problems.all.count == 3)
        watch.cancel()
        await close()
    }

    @Test func `a broken entry that is mended is seen`() async throws {
        let (watch, updates) = b.watch()
        _ = try await a.register(1)
        try folder.write("{", to: "users/u2.json")
        await updates.wait(forPorts: [1])
        try folder.write(
            #"{"service":"users","id":"u2","address":"127.0.0.1:2","leaseMilliseconds":86400000}"#, to: "users/u2.json")
        await updates.wait(forPorts: [1, 2])
        watch.cancel()
        await close()
    }

    @Test func `a folder that vanishes is made again by its writers and found again by its readers`() async throws {
        let (watch, updates) = b.watch()
        _ = try await a.register(1)
        await updates.wait(forPorts: [1])
        try folder.remove("users")
        await updates.wait(forPorts: [])
        await a.advance(by: .seconds(4))
        await updates.wait(forPorts: [1])
        watch.cancel()
        await close()
    }

    @Test func `when the whole registry is moved away readers say so, and recover when it is back`() async throws {
        let (watch, updates) = b.watch()
        _ = try await a.register(1)
        await updates.wait(forPorts: [1])
        #expect(rename(folder.path, folder.path + "-away") == 0)
        await updates.wait { (try? $0.get()) == nil }
        #expect(b.problems.all.last?.contains("cannot read the folder \(folder.path)") == true)
        await a.advance(by: .seconds(4))
        await b.advance(by: .seconds(1))
        await updates.wait(forPorts: [1])
        #expect(rename(folder.path + "-away", folder.path + "/old") == 0)
        watch.cancel()
        await close()
    }

    @Test func `after an outage longer than a lease nobody is forgotten who comes back`() async throws {
        _ = try await a.register(1)
        // Its clock stands still, so it renews nothing.
        let gone = Member(folder.path)
        _ = try await gone.register(2)
        let (watch, updates) = b.watch()
        await updates.wait(forPorts: [1, 2])
        let away = folder.path + ".away"
        // A file in its place: nobody can make the folder anew.
        try FileManager.default.moveItem(atPath: folder.path, toPath: away)
        try Data().write(to: URL(filePath: folder.path))
        await bothAdvance(by: 15)
        try FileManager.default.removeItem(atPath: folder.path)
        try FileManager.default.moveItem(atPath: away, toPath: folder.path)
        // The reader comes first: it sees two entries as old as the outage.
        await b.advance(by: .seconds(1))
        #expect(updates.ports.map(Set.init) == [1, 2])
        // One owner renews its entry, the other one does not: its time is over a lease later.
        await bothAdvance(by: 12)
        await updates.wait(forPorts: [1])
        watch.cancel()
        await gone.registry.close()
        await close()
    }

    @Test func `readers of a file that is written over and over never see half of it`() async throws {
        let (watch, updates) = b.watch()
        for round in 0..<200 {
            let registration = try await a.register(round)
            await registration.leave()
        }
        _ = try await a.register(999)
        await updates.wait(forPorts: [999])
        #expect(b.problems.all.isEmpty)
        #expect(folder.names(in: "users") == ["i999.json"])
        watch.cancel()
        await close()
    }

    @Test func `an id that this process has registered is refused`() async throws {
        _ = try await a.register(1)
        let error = await #expect(throws: RPCError.self) { try await a.register(1) }
        #expect(error?.code == .alreadyExists)
        await close()
    }

    @Test func `names that are empty or too long are refused by registering and watching alike`() async throws {
        for service in ["", String(repeating: "x", count: 200)] {
            let error = await #expect(throws: RPCError.self) { try await a.register(1, service: service) }
            #expect(error?.code == .invalidArgument)
            let (watch, updates) = a.watch(service)
            await updates.wait { (try? $0.get()) == nil }
            watch.cancel()
        }
        await close()
    }

    @Test func `a folder that cannot be made is an error for both sides`() async throws {
        try folder.write("a file", to: "file")
        let process = Member("\(folder.path)/file/registry")
        let error = await #expect(throws: RPCError.self) { try await process.register(1) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("file/registry") == true)
        let (watch, updates) = process.watch()
        await updates.wait { (try? $0.get()) == nil }
        watch.cancel()
        await process.registry.close()
        await close()
    }

    @Test func `closing leaves the registry, and what comes after it fails with a clear error`() async throws {
        let (watch, updates) = b.watch()
        let registration = try await a.register(1)
        await updates.wait(forPorts: [1])
        await a.registry.close()
        await updates.wait(forPorts: [])
        await registration.leave()
        let error = await #expect(throws: RPCError.self) { try await a.register(2) }
        #expect(error?.message == "the registry is closed")
        watch.cancel()
        await close()
    }

    @Test func `a registry that is released leaves, and gives back its thread and descriptors`() async throws {
        await close()
        for round in 0..<20 {
            let path = folder.path
            let process = Member(path)
            _ = try await process.register(round)
            let (watch, updates) = process.watch()
            await updates.wait(forPorts: [round])
            #expect(LeakCheck.threads(named: "apus-registry") >= 1)
            #expect(LeakCheck.descriptors(on: "inotify") >= 1)
            if round % 2 == 0 { await process.registry.close() }
            watch.cancel()
        }
        // A thread ends a moment after its last answer.
        while LeakCheck.threads(named: "apus-registry") > 0 { await Task.yield() }
        #expect(LeakCheck.descriptors(on: "inotify") == 0)
        #expect(folder.names(in: "users") == [])
    }

    @Test func `discovery over a directory finds instances of another process`() async throws {
        _ = try await a.register(1)
        _ = try await a.register(2)
        let script = ScriptedTransport()
        script.otherwise.reply()
        let channel = Channel("users", interceptors: [Discovery(b.registry)], transport: script)
        try await channel.ask()
        #expect(script.calls.first?.candidates?.handles.map(\.endpoint.description) == ["127.0.0.1:1", "127.0.0.1:2"])
        await close()
    }
}
