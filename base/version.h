/* version.h - what --version says. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define HF_VERSION "0.1.0"

#endif
