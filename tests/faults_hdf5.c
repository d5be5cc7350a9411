/* Calls of HDF5 that fail. SPDX-License-Identifier: GPL-3.0-or-later */
#include "faults.h"

#include <hdf5.h>

#define FAILING(type, name, parameters, arguments)                                                                     \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return fault_now(FAULT_HDF5) ? -1 : __real_##name arguments;                                                   \
    }

FAILING(hid_t, H5Acreate2, (hid_t at, const char *name, hid_t type, hid_t space, hid_t creation, hid_t access),
        (at, name, type, space, creation, access))
FAILING(herr_t, H5Awrite, (hid_t attribute, hid_t type, const void *bytes), (attribute, type, bytes))
FAILING(hid_t, H5Dcreate2,
        (hid_t at, const char *name, hid_t type, hid_t space, hid_t link, hid_t creation, hid_t access),
        (at, name, type, space, link, creation, access))
FAILING(herr_t, H5Dwrite, (hid_t set, hid_t type, hid_t memory, hid_t file, hid_t transfer, const void *bytes),
        (set, type, memory, file, transfer, bytes))
FAILING(hid_t, H5Gcreate2, (hid_t at, const char *name, hid_t link, hid_t creation, hid_t access),
        (at, name, link, creation, access))
