// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Foundation
import Testing

@testable import ApusDiscovery

@Suite(.timeLimit(.minutes(1))) struct FileConfigTests {
    private let clock = ManualClock()

    private func link(_ target: String, _ name: String, in folder: TemporaryFolder) throws {
        #expect(symlink(target, "\(folder.path)/new") == 0)
        #expect(rename("\(folder.path)/new", "\(folder.path)/\(name)") == 0)
    }

    private func version(_ name: String, _ text: String, in folder: TemporaryFolder) throws {
        try FileManager.default.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
        try folder.write(text, to: "\(name)/config.json")
    }

    // As Kubernetes does it: the file is a link into a folder that is a link, and that one is turned.
    @Test func `a config map's new version is seen, and the old one is not told twice`() async throws {
        let folder = try TemporaryFolder()
        try version("..1", "one", in: folder)
        try version("..2", "two", in: folder)
        try link("..1", "..data", in: folder)
        try link("..data/config.json", "config.json", in: folder)
        var watched = WatchedFile(path: "\(folder.path)/config.json")
        #expect(try watched.look()?.get() == Array("one".utf8))
        #expect(watched.look() == nil)
        try link("..2", "..data", in: folder)
        #expect(try watched.look()?.get() == Array("two".utf8))
        #expect(watched.look() == nil)
    }

    @Test func `a link to nothing is told once, and the file is read when it is there`() async throws {
        let folder = try TemporaryFolder()
        try link("missing", "config.json", in: folder)
        let config = FileConfig("\(folder.path)/config.json", clock: clock)
        var documents = config.documents().makeAsyncIterator()
        let first = await documents.next(isolation: #isolation)
        let error = #expect(throws: RPCError.self) { try first?.get() }
        #expect(error?.code == .unavailable)
        await clock.waitForSleepers()
        try folder.write("here", to: "missing")
        clock.advance(by: .seconds(1))
        let second = try await documents.next(isolation: #isolation)?.get()
        #expect(second == Array("here".utf8))
    }

    @Test func `a ring of links is a failure, not a hang`() throws {
        let folder = try TemporaryFolder()
        try link("config.json", "config.json", in: folder)
        var watched = WatchedFile(path: "\(folder.path)/config.json")
        #expect(throws: RPCError.self) { try watched.look()?.get() }
    }
}
