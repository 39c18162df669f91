// SPDX-License-Identifier: Apache-2.0
//
// What a case may cost, in one place: the limits on the source are applied in derive.c, those on
// the operations in operation.c. Measured with qemu-img 7.2.22 on tmpfs, on images without data
// unless said otherwise; the aim is that no single command takes longer than about 0.15 s on a
// quiet machine. docs/encoding.md tells the measurements. They are no part of the encoding: a
// change of a cap changes what a case builds, not what its bytes say.
#ifndef TESTCASE_CAPS_H
#define TESTCASE_CAPS_H

#define KIB    1024ull
#define MIB    (1024 * KIB)
#define GIB    (1024 * MIB)
#define SECTOR 512ull

// qcow2: 1 MiB of L1 tables in all files of a chain. Walking an empty one takes convert 65 to 120
// ms, four on top of each other one and a half times as long as one.
#define CAP_L1_ENTRIES 131072u
// vmdk: qemu-img asks grain by grain. 8 GiB of 64 KiB grains: measure 42 ms, convert 75 ms;
// 127 GiB: 0.5 s and 1.1 s; 2 TiB: 10 s and 18 s. In a chain every file is asked: four of 8 GiB
// take convert five times as long as one.
#define CAP_READ_GRAINS 131072u
// vmdk: check is quicker (128 GiB: 67 ms; 2 TiB: 1.4 s).
#define CAP_CHECK_GRAINS (1u << 21)
// vpc and vhdx: entries of a block allocation table. vpc of 2040 GiB with 2^20 blocks: 90 to
// 110 ms to write, 18 ms to read; vhdx with 2^21 blocks: 59 ms.
#define CAP_BLOCKS (1u << 20)
// vhdx: qemu-img sees no holes there and reads every byte. 1 GiB: 48 ms; 2 GiB: 98 to 122 ms;
// 8 GiB: 350 ms. info, check and measure do not care (5 ms at 2 TiB).
#define CAP_VHDX_CONVERT (2 * GIB)
// Deflating costs qemu-img 80 us for each unit, whatever its size, and 20 ms for each MiB of units,
// whatever they hold: 4 MiB of noise takes 650 ms in 512-byte clusters, 81 ms in 64 KiB clusters;
// 32 single bytes take over a second in 2 MiB clusters.
#define CAP_DEFLATED_UNITS  1024u
#define CAP_DEFLATED_BYTES  (4 * MIB) // of a source
#define CAP_DEFLATED_TARGET (6 * MIB) // beyond it target clusters get smaller, down to 64 KiB
// Inflating: with -c qemu-img reads one target cluster at a time and inflates all of the source's
// cluster for it, 1.2 ms for each MiB: 10 s for one cluster of 2 MiB in clusters of 512 bytes.
#define CAP_INFLATED (128 * MIB)
// A vhdx image of size 0: qemu-img 7.2 counts blocks from size - 1, which wraps around, and reads a
// table of many MiB. 1 MiB blocks: about 10 ms; 64 MiB blocks: about 0.6 s.
#define CAP_BLOCK_BITS_OF_NOTHING 20u
// Explicit zeros have no bytes, but entries in tables.
#define CAP_ZERO_UNITS 8192u

// Converted without leaving zeros out, every byte of a disk is written. 32 MiB of hole take
// qemu-img 22 to 46 ms for most targets, vmdk up to 66 ms, qcow2 in 512-byte clusters 113 to 142
// ms; 64 MiB of the last 268 to 449 ms. The stand-in takes half of it at most. Deflated they cost
// 15 ms for each MiB (16 MiB: 234 to 286 ms), vmdk 7 ms.
#define CAP_STORED_ALL          (32 * MIB)
#define CAP_STORED_ALL_DEFLATED (8 * MIB)
// Bits of a persistent bitmap, which qemu-img holds in memory while the image is open.
#define CAP_BITMAP_BITS (1u << 24)

// A size given in units.
#define CAP_UNITS_SIZE (64 * MIB)
// One write, so that one does not eat all of CASE_MAX_WRITTEN.
#define CAP_WRITE (CASE_MAX_WRITTEN / 4)
// Tools read allocated units to their end, at 50 us for each MiB.
#define CAP_TOUCHED (128 * MIB)
// What one written byte may cost in such reading.
#define CAP_BLOCK_OF_SOURCE (32 * MIB)
// Bytes that a writer which fills whole blocks may write; with the default block size of a vhdx
// target, which a case cannot lower, twice that.
#define CAP_FILLED         (128 * MIB)
#define CAP_FILLED_DEFAULT (256 * MIB)
#define VHDX_DEFAULT_BLOCK (32u << 20)

#endif
