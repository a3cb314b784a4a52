// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation

/// A registry in a folder, by its files: a folder for each service, and in it a file for each instance.
struct DirectoryLedger: RegistryLedger {
    let root: String

    /// An entry as a file says it. Members that are not known here stay as they are.
    private struct Entry {
        static let mark = "draining"
        var members: [String: Any]

        func text(_ name: String) -> String? { members[name] as? String }
    }

    func rows(of service: String?) async throws -> [InstanceRow] {
        try names(in: root).sorted().flatMap { folder in
            try names(in: "\(root)/\(folder)").filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }
                .compactMap { row("\(root)/\(folder)/\($0)") }
        }.filter { service == nil || $0.service == service }
    }

    func drain(_ row: InstanceRow, undo: Bool) async throws {
        for folder in try names(in: root) {
            for name in try names(in: "\(root)/\(folder)") where name.hasSuffix(".json") {
                let path = "\(root)/\(folder)/\(name)"
                guard let found = self.row(path), (found.service, found.id) == (row.service, row.id) else { continue }
                guard found.state != .expired else {
                    throw Mistake("\(row.id) has expired: clients have left it already")
                }
                return try mark(path, undo: undo)
            }
        }
        throw Mistake("the instance has just left")
    }

    // As a whole or not at all: the file is replaced. Its owner goes on touching it.
    private func mark(_ path: String, undo: Bool) throws {
        guard var entry = entry(path) else { throw Mistake("the entry \(path) cannot be read") }
        entry.members[Entry.mark] = undo ? nil : true
        guard let data = try? JSONSerialization.data(withJSONObject: entry.members, options: [.sortedKeys]) else {
            throw Mistake("the entry \(path) cannot be read")
        }
        try ReplacedFile.replace(path, with: Array(data))
    }

    private func names(in folder: String) throws(Mistake) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            throw Mistake("there is no folder \(folder)")
        }
        guard isFolder.boolValue else { return [] }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw Mistake("the folder \(folder) cannot be read: \(error.localizedDescription)")
        }
    }

    private func entry(_ path: String) -> Entry? {
        guard let data = FileManager.default.contents(atPath: path),
            let members = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else { return nil }
        return Entry(members: members)
    }

    // What is no entry is left out: readers skip it, too.
    private func row(_ path: String) -> InstanceRow? {
        guard let entry = entry(path), let service = entry.text("service"), let id = entry.text("id"),
            let address = entry.text("address")
        else { return nil }
        let modified = (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
        let age = modified.map { Duration.seconds(max(0, Date().timeIntervalSince($0))) }
        var row = InstanceRow(service: service, id: id, address: address, age: age)
        row.weight = (entry.members["weight"] as? NSNumber)?.doubleValue ?? 1
        row.metadata = entry.members["metadata"] as? [String: String] ?? [:]
        let lease = Duration.milliseconds((entry.members["leaseMilliseconds"] as? NSNumber)?.int64Value ?? 0)
        if let age, age > lease {
            row.state = .expired
        } else if entry.members[Entry.mark] as? Bool == true {
            row.state = .draining
        }
        return row
    }
}
