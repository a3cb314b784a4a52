// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
    import ApusTestSupport
    import Foundation
    import Testing

    @testable import ApusDiscovery

    struct FolderEventsTests {
        let folder: TemporaryFolder
        let events: FolderEvents
        let number: Int32

        init() throws {
            folder = try TemporaryFolder()
            try folder.write("{}", to: "old.json")
            events = try #require(FolderEvents())
            number = try events.watch(folder.path)
        }

        @Test func `a heartbeat is no event`() throws {
            try Files.touch("\(folder.path)/old.json", modified: 1_700_000_000_123_456_789)
            #expect(try Files.stamp(of: "\(folder.path)/old.json").modified == 1_700_000_000_123_456_789)
            #expect(events.take().isEmpty)
        }

        @Test func `an entry that comes, and one that goes, are events with their names`() throws {
            try Files.write([1], to: "\(folder.path)/new.json", by: "\(folder.path)/.tmp-1", modified: 7)
            let came = events.take()
            #expect(came.last == .changed(folder: number, name: "new.json"))
            #expect(came.dropLast().allSatisfy { $0 == .changed(folder: number, name: ".tmp-1") })
            try Files.remove("\(folder.path)/new.json")
            #expect(events.take() == [.changed(folder: number, name: "new.json")])
        }

        @Test func `a folder that is removed or moved away is gone`() throws {
            #expect(mkdir("\(folder.path)/sub", 0o755) == 0)
            let sub = try events.watch("\(folder.path)/sub")
            _ = events.take()
            #expect(rename("\(folder.path)/sub", "\(folder.path)/moved") == 0)
            #expect(events.take().contains(.gone(folder: sub)))
            #expect(rmdir("\(folder.path)/moved") == 0)
            #expect(events.take().contains(.gone(folder: sub)))
        }

        @Test func `a folder that is watched twice keeps its number, and a missing one is an error`() throws {
            #expect(try events.watch(folder.path) == number)
            let error = #expect(throws: FileError.self) { try events.watch("\(folder.path)/nowhere") }
            #expect(error?.isMissing == true)
        }

        @Test func `more events than a buffer holds all arrive`() throws {
            for index in 0..<1000 { try folder.write("", to: "\(index)-\(String(repeating: "x", count: 100))") }
            let names = events.take().compactMap { event -> Substring? in
                guard case .changed(number, let name) = event else { return nil }
                return name.prefix { $0 != "-" }
            }
            #expect(Set(names) == Set((0..<1000).map { "\($0)"[...] }))
        }
    }
#endif
